import assert from "node:assert/strict";
import { test } from "node:test";
import { isCase, isStatement, now, statement } from "../../site/scripts/desk-casework.js";
import { fold } from "../../site/scripts/desk-casefold.js";
import { standing } from "../support/casework-standing.mjs";
import { randomly } from "../support/random.mjs";
import { cases } from "../support/vectors.mjs";

for (const [name, { statement: given, valid }] of cases("statement")) {
  test(name, () => assert.equal(isStatement(given), valid));
}

for (const [name, vector] of cases("case")) {
  test(`${name}: ${vector.comment}`, () => {
    assert.deepEqual(standing(vector), vector.case);
    assert.deepEqual(standing({ ...vector, notes: vector.notes.toReversed() }), vector.case);
    assert.deepEqual(standing({ ...vector, notes: [...vector.notes, ...vector.notes] }), vector.case);
  });
}

const id = (n, size = 16) => n.toString(16).padStart(size, "0");
const note = (n, more = {}) => ({ id: id(n), time: "2026-11-22T06:00Z", says: "note", text: "x", ...more });

test("what a note says has its two keys, each in order and within its bounds", () => {
  const ids = (...numbers) => numbers.map((n) => id(n, 32));
  assert.ok(isCase({ after: [], says: [note(1)] }));
  assert.ok(isCase({ after: ids(...Array(32).keys()), says: Array(100).fill(note(1)) }));
  const wrong = [
    null,
    [],
    { after: [] },
    { after: [], says: [] },
    { after: [], says: [note(1)], more: 1 },
    { after: [], says: Array(101).fill(note(1)) },
    { after: [], says: { 0: note(1), length: 1 } },
    { after: ids(1, 0), says: [note(1)] },
    { after: ids(1, 1), says: [note(1)] },
    { after: ids(...Array(33).keys()), says: [note(1)] },
    { after: id(1, 32), says: [note(1)] },
    { after: [], says: [note(1), note(2, { text: "" })] },
  ];
  for (const given of wrong) assert.equal(isCase(given), false, JSON.stringify(given));
});

test("what this page would say is checked as what it reads", () => {
  const made = statement(now(), "note", { text: "hello" });
  assert.ok(isStatement(made));
  assert.match(made.time, /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
  assert.throws(() => statement(now(), "note", { text: "" }), RangeError);
  assert.throws(() => statement(now(), "__proto__", {}), RangeError);
  assert.throws(() => statement(now(), "toString", {}), RangeError);
});

const messages = [{ id: id(0, 32), day: "2026-11-20", to: ["ada", "bea"] }];
const said = (n, after, ...says) => ({ id: id(n, 32), author: "ada", said: { after, says } });

test("a long chain of notes is no trouble, and neither are many at once", () => {
  const chain = [said(1, [], note(1))];
  for (let n = 2; n <= 3000; n++) chain.push(said(n, [id(n - 1, 32)], note(n)));
  const told = fold(messages, chain.toReversed(), [], []);
  assert.deepEqual(told.history.map(({ statement: one }) => one.id), chain.map((_, at) => id(at + 1)));
  const many = chain.map((one, n) => ({ ...one, said: { after: [], says: [note(n)] } }));
  assert.equal(fold(messages, many, [], []).heads.length, 32);
});

test("names that every object has are names like others", () => {
  const check = (n, item) => note(n, { says: "check", item, is: "yes", text: undefined });
  const told = fold(messages, [said(1, [], check(1, "constructor"), check(2, "valueof"))], [], []);
  assert.equal(told.checks.get("constructor"), "yes");
  assert.equal(told.checks.size, 5);
});

randomly("whatever the order in which notes come, the case is the same", (below) => {
  for (let round = 0; round < 60; round++) {
    const notes = [];
    for (let n = 1; n <= 1 + below(12); n++) {
      const after = notes.filter(() => below(3) === 0).map((one) => one.id);
      const author = ["ada", "bea", "eve"][below(3)];
      const word = [
        { says: "state", state: ["new", "checking", "published"][below(3)], text: "" },
        { says: "task", text: "call", to: author },
        { says: "handover", from: "ada", to: "bea" },
        { says: "widen", to: ["eve"] },
        { says: "label", label: "a", set: below(2) === 0 },
      ][below(5)];
      const one = { id: id(below(8)), time: `2026-11-22T06:0${below(3)}Z`, ...word };
      notes.push({ id: id(below(2 ** 30) * 64 + n, 32), author, after: after.sort(), says: [one] });
    }
    const first = standing({ messages, notes, partners: {} });
    const shuffled = notes.toSorted(() => below(3) - 1);
    assert.deepEqual(standing({ messages, notes: [...shuffled, ...notes.slice(3)], partners: {} }), first);
  }
});
