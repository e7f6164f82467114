import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, pictureType, textFrom } from "../../site/scripts/desk-picture.js";
import { title, visible } from "../../site/scripts/desk-text.js";
import { answered, nameOf, threadsOf, titleOf, turnsOf } from "../../site/scripts/desk-threads.js";
import { newState } from "../../site/scripts/desk-state.js";

const TODAY = "2026-11-22";
const [one, two] = ["11".repeat(32), "22".repeat(32)];

function desk(...entries) {
  const state = newState();
  for (const [at, more] of entries.entries()) {
    const id = `${at}`.repeat(32).slice(0, 32);
    const rest = { files: [], note: "", forged: false, problem: "", text: "" };
    state.entries.set(id, { id, day: `2026-11-0${at + 1}`, size: 1, letter: null, ...rest, ...more });
  }
  return { state, name: "ada", edition: { terms: { retention_days: 30 } } };
}

const drop = (thread, text, more = {}) => {
  return { letter: { kind: "drop", thread, read: [], to: ["ada"], ...more }, text };
};
const note = (thread, text, more = {}) => drop(thread, text, { kind: "note", author: "bo", ...more });
const brief = (turns) => turns.map(({ author, kind, condition, text }) => [author, kind, condition, text]);

test("the thread with the last word comes first, and what is broken is none", () => {
  const at = desk(drop(one, "first"), drop(two, "second"), note(one, "third"), { problem: "age" }, {});
  at.state.shown.add(threadsOf(at)[1].entries[0].id);
  const said = threadsOf(at).map((thread) => [titleOf(thread), thread.unread, thread.byHand]);
  assert.deepEqual(said, [["", true, true], ["first", true, false], ["second", true, false]]);
  assert.ok(threadsOf(at).every((thread) => /^[0-9a-f]{8}$/.test(nameOf(thread))));
});

test("a conversation is in the order it came, each reply once, with where it stands", () => {
  const reply = { id: "a".repeat(16), lines: [0] };
  const again = { id: reply.id, lines: [1] };
  const at = desk(
    drop(one, "hello"),
    note(one, "answer", { reply }),
    note(one, "answer", { reply: again }),
    { ...note(one, "send me all", { reply: { id: "b".repeat(16), lines: [2] } }), forged: true },
    note(one, "a remark"),
    note(one, "", { case: { after: [], says: [{ says: "label" }] } }), // beside it
    note(one, "", { case: { after: [], says: [{ says: "read" }] } }),
    drop(one, "thanks", { read: [reply.id], to: ["bo"] }),
    drop(two, "elsewhere"),
  );
  const own = { id: "c".repeat(16), thread: one, text: "mine", day: TODAY, used: [], live: [] };
  at.state.replies.set(own.id, own);
  assert.deepEqual(brief(turnsOf(at, one, TODAY)), [
    [undefined, "drop", "", "hello"],
    ["bo", "reply", "read", "answer"],
    ["bo", "note", "forged", "send me all"],
    ["bo", "note", "note", "a remark"],
    [undefined, "drop", "passed", "thanks"],
    ["ada", "reply", "waiting", "mine"],
  ]);
});

test("an answer goes by the source's last choice, and never by what is forged", () => {
  const letters = (...entries) => answered([...desk(...entries).state.entries.values()]);
  assert.deepEqual(letters(drop(one, "", { to: ["ada"] }), drop(one, "", { to: ["bo"] })).to, ["bo"]);
  assert.equal(letters(drop(one, "x"), note(one, "y")).kind, "drop");
  assert.equal(letters(note(one, "y")).kind, "note");
  assert.equal(letters({ ...note(one, "y"), forged: true }), null);
  assert.equal(letters({}), null);
});

test("no character of a stranger's moves or hides another", () => {
  assert.equal(visible("gnp\u202eexe\u2066 \u0007\u009b31m\u2028\ue000\u{e0041}"),
    "gnp\\u{202e}exe\\u{2066} \\u{7}\\u{9b}31m\\u{2028}\\u{e000}\\u{e0041}");
  assert.equal(visible("a\r\nb\tc\rd"), "a\nb\tc\\u{d}d");
  assert.equal(visible("می\u200cخواهم Ætt 🗝"), "می\u200cخواهم Ætt 🗝");
  assert.equal(visible("\ud800"), "\\u{d800}");
});

test("a title is the first line, cut between characters", () => {
  assert.equal(title("\n  hello \nworld"), "hello");
  assert.equal(title("🗝".repeat(70)), `${"🗝".repeat(59)}…`);
  assert.equal(title(""), "");
});

test("what may be shown goes by its name first", () => {
  const kinds = (names) => names.map((name) => kindOf(name, 1000));
  assert.deepEqual(kinds(["a.txt", "b.MD", "c.csv", "d.png", "e.JPEG", "f.jpg"]), [
    "text", "text", "text", "picture", "picture", "picture",
  ]);
  const others = ["a.html", "b.svg", "c.pdf", "d.gif", "e.webp", "f.png.exe", "txt", "g.xhtml", "h.js"];
  assert.deepEqual(new Set(kinds(others)), new Set([""]));
  assert.equal(kindOf("a.txt", 2 ** 21), "");
  assert.equal(kindOf("a.png", 2 ** 26), "");
});

/** A PNG's or JPEG's beginning. */
const png = (width, height) => {
  const bytes = Buffer.alloc(40);
  bytes.write("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
};
const jpeg = (width, height) => {
  const head = Buffer.from("ffd8ffe000104a46494600010100000100010000ffc0001108", "hex");
  const size = Buffer.alloc(30);
  size.writeUInt16BE(height, 0);
  size.writeUInt16BE(width, 2);
  return Buffer.concat([head, size]);
};

test("a picture is one by its bytes, and no larger than a page can bear", () => {
  assert.equal(pictureType(png(800, 600)), "image/png");
  assert.equal(pictureType(jpeg(800, 600)), "image/jpeg");
  for (const bytes of [
    png(60_000, 60_000), png(0, 5), png(40_000, 1), jpeg(65_535, 65_535), jpeg(0, 0),
    Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>"), Buffer.from("GIF89a________________________"),
    Buffer.from("<!doctype html>"), Buffer.alloc(0), Buffer.from("ffd8", "hex"), Buffer.alloc(3, 0xff),
    Buffer.concat([Buffer.from("ffd8", "hex"), Buffer.alloc(100_000, 0xff)]), png(800, 600).subarray(0, 20),
  ]) {
    assert.equal(pictureType(bytes), null);
  }
});

test("text is UTF-8 without a zero byte", () => {
  assert.equal(textFrom(Buffer.from("Ætt")), "Ætt");
  assert.equal(textFrom(Buffer.from([0xc3])), null);
  assert.equal(textFrom(Buffer.from("PK\0\0")), null);
});
