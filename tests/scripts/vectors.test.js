import assert from "node:assert/strict";
import { test } from "node:test";
import { BadCodename, entropyFrom, wordsFor } from "../../site/scripts/codename.js";
import { framesOn, labelFor, repliesIn } from "../../site/scripts/line.js";
import { isName } from "../../site/scripts/names.js";
import { padded } from "../../site/scripts/padding.js";
import { header } from "../../site/scripts/tar.js";
import { threadId, threadKey } from "../../site/scripts/thread.js";
import { cases, hex, unhex } from "../support/vectors.mjs";

const lists = {
  en: "english",
  nl: "english",
  es: "spanish",
  fr: "french",
  it: "italian",
  ja: "japanese",
  ko: "korean",
  pt: "portuguese",
  cs: "czech",
  zh: "simplified-chinese",
  "zh-Hant": "traditional-chinese",
};
// By file: the package's own table of exports misspells the traditional Chinese one.
const folder = new URL("../../site/node_modules/@scure/bip39/wordlists/", import.meta.url);
const listFor = async (language) => (await import(new URL(`${lists[language]}.js`, folder))).wordlist;

for (const [name, { comment, length, padded: expected }] of cases("padding")) {
  test(`${name}: ${comment}`, () => assert.equal(padded(length), expected));
}

for (const [name, { comment, name: member, size, header: expected }] of cases("tar")) {
  test(`${name}: ${comment}`, () => assert.equal(hex(header(member, size)), expected));
}

for (const [name, { comment, name: value, valid }] of cases("name")) {
  test(`${name}: ${comment}`, () => assert.equal(isName(value), valid));
}

for (const [name, { comment, language, entropy, words, error, word }] of cases("codename")) {
  test(`${name}: ${comment}`, async () => {
    const list = await listFor(language);
    if (error) {
      const expected = (problem) =>
        problem instanceof BadCodename && problem.reason === error && problem.word === (word ?? "");
      assert.throws(() => entropyFrom(words, list), expected);
      return;
    }
    assert.equal(hex(entropyFrom(words, list)), entropy);
    const fold = (text) => text.toLowerCase().normalize("NFKD").split(/\s+/).filter(Boolean);
    assert.deepEqual(wordsFor(unhex(entropy), list).map((one) => one.normalize("NFKD")), fold(words));
  });
}

for (const [name, { comment, entropy, newsroom, thread_key, thread_id }] of cases("thread")) {
  test(`${name}: ${comment}`, () => {
    const key = threadKey(unhex(entropy), newsroom);
    assert.equal(hex(key), thread_key);
    assert.equal(threadId(key), thread_id);
  });
}

for (const [name, vector] of cases("line")) {
  test(`${name}: ${vector.comment}`, async () => {
    const [thread, signer, line] = [vector.thread_key, vector.signer, vector.line].map(unhex);
    assert.equal(hex(labelFor(thread, signer, vector.n)), vector.label);
    const frames = await framesOn(line, thread, vector.newsroom, [signer]);
    assert.equal(frames.length, 1);
    const [frame] = frames;
    const [reply] = repliesIn(frames);
    if (vector.forged) {
      assert.equal(reply.state, "forged");
      assert.equal(reply.text, "");
      return;
    }
    const { n, i, k } = vector;
    assert.deepEqual({ ...frame, text: new TextDecoder().decode(frame.text) }, {
      signer: vector.signer,
      n,
      reply: vector.reply,
      i,
      k,
      text: vector.text,
      forged: false,
    });
    assert.equal(reply.state, k === 1 ? "whole" : "incomplete");
  });
}
