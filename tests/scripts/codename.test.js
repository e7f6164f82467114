import assert from "node:assert/strict";
import { test } from "node:test";
import * as codename from "../../site/scripts/codename.js";

const { BadCodename, entropyFrom, firstDifference, newEntropy, wordsFor } = codename;
const shown = "scheme spot photo card baby mountain device kick cradle pact join borrow".split(" ");
const typed = (at, word) => shown.with(at, word).join(" ");

test("a new codename is twelve words that stand for its sixteen bytes", () => {
  const entropy = newEntropy();
  const words = wordsFor(entropy);
  assert.equal(words.length, 12);
  assert.deepEqual(entropyFrom(words.join(" ")), entropy);
  assert.notDeepEqual(newEntropy(), entropy);
});

test("the same words typed back differ nowhere", () => {
  assert.equal(firstDifference(shown, shown.join(" ")), 0);
  assert.equal(firstDifference(shown, `  ${shown.join("\n").toUpperCase()} `), 0);
});

test("another word of the list is told by its place", () => {
  for (let at = 0; at < 12; at++) assert.equal(firstDifference(shown, typed(at, "zoo")), at + 1);
  const other = "legal winner thank year wave sausage worth useful legal winner thank yellow";
  assert.equal(firstDifference(shown, other), 1);
});

test("a word that is not in the list is named, and only it", () => {
  const expected = ({ reason, word }) => reason === "word" && word === "photograph";
  assert.throws(() => firstDifference(shown, typed(2, "photograph")), expected);
});

test("a missing word is counted", () => {
  const expected = ({ reason, count }) => reason === "count" && count === 11;
  assert.throws(() => firstDifference(shown, shown.slice(1).join(" ")), expected);
});

test("no error's message holds a word", () => {
  const silent = (error) => error instanceof BadCodename && !/scheme|photo|zoo/.test(error.stack);
  for (const text of [typed(2, "photograph"), typed(11, "zoo"), "scheme"]) {
    assert.throws(() => entropyFrom(text), silent);
  }
});
