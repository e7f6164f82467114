import assert from "node:assert/strict";
import { test } from "node:test";
import { isName, namesFor } from "../../site/scripts/names.js";
import { randomly } from "../support/random.mjs";

const pieces = [
  ..."aZ7..-_ /\\:*?\"<>|\0\n\x1b\x7f\x85éßſİǆﬁ\u0301한Å\u212b\u0378",
  ..."\u202e\u200d\ufeff\u00ad\u2028\u2029\ue000\u{e0001}\u{f0000}🐟",
  ...["\ud83d", "\udc1f", "👩‍👧", "报告", "تقرير", "e\u0301", "SS", "ss", "\u1112\u1161\u11ab"],
  ...["report", "con", "AUX", "lpt1", "nul", ".tar", ".pdf", "x".repeat(60), "é".repeat(40)],
];

// What a file system without case, or one that decomposes, takes for one name.
const likeness = (name) => name.normalize("NFD").toUpperCase().toLowerCase().normalize("NFD");

randomly("whatever the files are called, a drop may hold their new names, and no two are alike", (below) => {
  for (let round = 0; round < 2000; round++) {
    const name = () => Array.from({ length: below(6) }, () => pieces[below(pieces.length)]).join("");
    const originals = Array.from({ length: 1 + below(8) }, name);
    const names = namesFor(originals);
    assert.equal(names.length, originals.length);
    for (const [at, given] of names.entries()) {
      assert.ok(isName(given), JSON.stringify([originals[at], given]));
      assert.deepEqual(namesFor([given]), [given]);
    }
    assert.equal(new Set(names.map(likeness)).size, names.length, JSON.stringify([originals, names]));
  }
});

const table = [
  ["report.pdf", "report.pdf"],
  ["", "file"],
  ["...", "file"],
  [".bashrc", "bashrc"],
  ["-rf", "rf"],
  ["../../etc/passwd", "_.._etc_passwd"],
  ["C:\\Users\\ada\\plan.doc", "C__Users_ada_plan.doc"],
  ["CON", "_CON"],
  ["con.txt", "_con.txt"],
  [".con.txt", "_con.txt"],
  ["notes.", "notes"],
  ["e\u0301t\u00e9.txt", "été.txt"],
  ["a\u202efdp.exe", "a_fdp.exe"],
  ["a".repeat(200) + ".pdf", "a".repeat(90) + ".pdf"],
  ["é".repeat(60) + ".pdf", "é".repeat(45) + ".pdf"],
  ["a." + "b".repeat(200), "a." + "b".repeat(92)],
  ["a".repeat(93) + " b", "a".repeat(93)],
];

for (const [original, expected] of table) {
  test(`${JSON.stringify(original.slice(0, 30))} becomes ${expected.slice(0, 30)}`, () => {
    assert.deepEqual(namesFor([original]), [expected]);
  });
}

test("files of one name are numbered, whatever their case", () => {
  const originals = ["scan.jpg", "Scan.JPG", "scan.jpg", "scan-2.jpg", "straße", "STRASSE", "STRAẞE"];
  const scans = ["scan.jpg", "Scan-2.JPG", "scan-3.jpg", "scan-2-2.jpg"];
  assert.deepEqual(namesFor(originals), [...scans, "straße", "STRASSE-2", "STRAẞE-3"]);
});

test("a thousand files of one long name stay apart", () => {
  const names = namesFor(Array.from({ length: 1000 }, () => "é".repeat(100) + ".jpeg"));
  assert.equal(new Set(names).size, 1000);
  assert.ok(names.every(isName));
});
