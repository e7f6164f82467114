import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { read, signedBy } from "../../site/scripts/desk-drop.js";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { LONGEST, measureReply, replyFrom } from "../../site/scripts/desk-line.js";
import { condition, isFull, post, queue } from "../../site/scripts/desk-outbox.js";
import { NotForYou } from "../../site/scripts/desk-reader.js";
import { BadState, newState, openState, sealState } from "../../site/scripts/desk-state.js";
import { takeIn } from "../../site/scripts/desk-sync.js";
import { note as telling } from "../../site/scripts/desk-telling.js";
import { LINE, framesOn, repliesIn } from "../../site/scripts/line.js";
import { library } from "../support/vectors.mjs";

const { generateHybridIdentity } = library("age-encryption");

const TODAY = "2026-11-22";
const names = ["ada", "bo", "cor"];
const people = await Promise.all(names.map(async () => journalistOf(await generateHybridIdentity())));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const recipients = people.map(({ recipient, signer }, at) => {
  return { name: names[at], title: names[at], recipient, signer: hex(signer) };
});
const terms = { drop_bytes: 1 << 30, board_lines: 64, board_post: 4, retention_days: 30 };
const edition = { newsroom: "5d41402abc4b2a76", recipients, partners: [], former: [], edition: 1, terms };
const thread = hex(randomBytes(32));
const key = Buffer.from(thread, "hex");

function desk(at = 0) {
  const own = { journalist: people[at], name: names[at], place: at };
  return { edition, ...own, state: newState(), sealed: new Map() };
}

function letter(more = {}) {
  const head = { version: 1, kind: "drop", newsroom: edition.newsroom, message: hex(randomBytes(16)) };
  return { ...head, thread, language: "en", to: ["ada", "bo"], answers: {}, read: [], ...more };
}

/** Enters a drop of the source's that was read. */
function arrives(at, more = {}) {
  const id = hex(randomBytes(16));
  const rest = { text: "hello", files: [], note: "", forged: false, problem: "" };
  at.state.entries.set(id, { id, day: TODAY, size: 20_000, letter: letter(more), ...rest });
}

/** A note that the box has taken. */
async function note(at) {
  const { sealed, sent } = await telling(at);
  sent();
  return sealed;
}

const noise = (lines = terms.board_lines) => randomBytes(lines * LINE);

/** The board once lines were posted on it. */
const moved = (board, lines) => Buffer.concat([board.subarray(lines.length), lines]);

async function seen(board, of = thread) {
  const signers = people.map(({ signer }) => signer);
  const frames = await framesOn(board, Buffer.from(of, "hex"), edition.newsroom, signers);
  return { frames, replies: repliesIn(frames) };
}

test("a sync posts exactly its lines, whatever there is to say", async () => {
  const at = desk();
  arrives(at);
  const sizes = [];
  for (const text of [null, "short", "x".repeat(LONGEST), null]) {
    if (text) queue(at, letter(), text, TODAY);
    const lines = await post(at, noise(), TODAY);
    sizes.push(lines.length, (await note(at)).length);
  }
  assert.deepEqual(new Set(sizes), new Set([4 * LINE, sizes[1]]));
});

test("the source reads what was posted, and knows by whom", async () => {
  const at = desk(1);
  queue(at, letter(), "é".repeat(2000), TODAY);
  const { frames, replies } = await seen(await post(at, noise(), TODAY));
  assert.deepEqual(frames.map(({ n, i, k }) => [n, i, k]), [[0, 0, 3], [1, 1, 3], [2, 2, 3]]);
  const [{ state, text, signer }] = replies;
  assert.deepEqual([state, text, signer], ["whole", "é".repeat(2000), recipients[1].signer]);
});

test("one reply a sync, each under n of its own, the longest waiting first", async () => {
  const at = desk();
  queue(at, letter(), "one", TODAY);
  queue(at, letter(), "x".repeat(2000), TODAY);
  let board = noise();
  for (const expected of [[0], [1, 2], []]) {
    const lines = await post(at, board, TODAY);
    assert.deepEqual((await seen(lines)).frames.map(({ n }) => n), expected);
    board = moved(board, lines);
  }
});

test("a reply that leaves the board is posted again under fresh n until it is read", async () => {
  const at = desk();
  arrives(at);
  const id = queue(at, letter(), "again", TODAY);
  let board = moved(noise(), await post(at, noise(), TODAY));
  const posted = async () => {
    const lines = await post(at, board, TODAY);
    board = moved(board, lines);
    return (await seen(lines)).frames.map(({ n }) => n);
  };
  assert.deepEqual(await posted(), []);
  board = moved(board, noise(46)); // Its line has come into the oldest quarter.
  assert.deepEqual(await posted(), [1]);
  board = noise();
  assert.deepEqual(await posted(), [2]);
  assert.equal(condition(at, at.state.replies.get(id), TODAY), "posted");
  arrives(at, { read: [id] });
  board = noise();
  assert.deepEqual(await posted(), []);
  assert.equal(condition(at, at.state.replies.get(id), TODAY), "read");
});

test("a reply that nobody reads expires", async () => {
  const at = desk();
  const id = queue(at, letter(), "late", "2026-10-22");
  assert.equal(condition(at, at.state.replies.get(id), "2026-11-21"), "waiting");
  assert.equal(condition(at, at.state.replies.get(id), "2026-11-22"), "expired");
  assert.deepEqual((await seen(await post(at, noise(), TODAY))).frames, []);
});

test("a page that lost its state goes on behind the n that the board shows", async () => {
  const before = desk();
  queue(before, letter(), "x".repeat(4000), TODAY);
  const board = moved(noise(), await post(before, noise(), TODAY));
  const after = desk();
  queue(after, letter(), "second", TODAY);
  assert.deepEqual((await seen(await post(after, board, TODAY))).frames.map(({ n }) => n), [3]);
});

test("and behind those that its own notes tell", async () => {
  const before = desk();
  queue(before, letter(), "first", TODAY);
  await post(before, noise(), TODAY);
  const made = new Blob([await note(before)]);
  const after = desk();
  const listed = { id: "0".repeat(32), size: made.size, day: TODAY };
  assert.equal((await takeIn(after, listed, made)).forged, false);
  assert.deepEqual([...after.state.replies.values()].map(({ text, used }) => [text, used]), [["first", [0]]]);
  assert.ok(after.state.shown.has(listed.id));
  queue(after, letter(), "second", TODAY);
  assert.deepEqual((await seen(await post(after, noise(), TODAY))).frames.map(({ n }) => n), [1]);
});

test("the note of a reply is for the drop's recipients and its author, a cover for nobody", async () => {
  const at = desk(2);
  const id = queue(at, letter({ to: ["bo"] }), "from cor", TODAY);
  await post(at, noise(), TODAY);
  const made = new Blob([await note(at)]);
  for (const place of [1, 2]) {
    const drop = await read(made, { ...people[place], place });
    assert.deepEqual(drop.letter.to, ["bo", "cor"]);
    assert.deepEqual([drop.letter.reply, drop.text], [{ id, lines: [0] }, "from cor"]);
    assert.ok(signedBy(drop, recipients[2].signer));
  }
  await assert.rejects(read(made, { ...people[0], place: 0 }), NotForYou);
  const cover = new Blob([await note(at)]);
  await assert.rejects(read(cover, { ...people[2], place: 2 }), NotForYou);
  assert.equal(cover.size, made.size);
});

test("a note in another's name is forged, and a copy is told by what it is", async () => {
  const [at, forger] = [desk(), { ...desk(1), name: "cor" }];
  queue(forger, letter(), "send me everything", TODAY);
  await post(forger, noise(), TODAY);
  const made = new Blob([await note(forger)]);
  const listed = (id) => ({ id: id.repeat(32), size: made.size, day: TODAY });
  assert.equal((await takeIn(at, listed("1"), made)).forged, true);
  await assert.rejects(takeIn(at, listed("2"), made), /copy/);
});

test("a canary is answered where there is room, three times and for a week, and listed nowhere", async () => {
  const at = desk();
  const canary = hex(randomBytes(32));
  const answers = async (board, day = TODAY) => {
    return (await seen(await post(at, board, day), canary)).replies.map(({ text }) => text);
  };
  at.state.calls.set(canary, { day: TODAY, used: 0 });
  const first = await post(at, noise(), TODAY);
  assert.deepEqual((await seen(first, canary)).replies.map(({ text }) => text), ["seen"]);
  assert.deepEqual(await answers(moved(noise(), first)), []); // Somebody's answer is there.
  queue(at, letter(), "x".repeat(LONGEST), TODAY);
  assert.deepEqual(await answers(noise()), []); // A reply takes all lines.
  at.state.replies.clear();
  assert.deepEqual(await answers(noise()), ["seen"]);
  assert.deepEqual(await answers(noise(), "2026-11-30"), []);
  assert.deepEqual(await answers(noise()), ["seen"]);
  assert.deepEqual(await answers(noise()), []);
});

test("a thread whose lines are used up takes no reply", async () => {
  const at = desk();
  const id = queue(at, letter(), "last", TODAY);
  const reply = at.state.replies.get(id);
  at.state.replies.set(id, { ...reply, used: [251], live: [251] });
  assert.equal(isFull(at, thread), false);
  at.state.replies.set(id, { ...reply, used: [252], live: [252] });
  assert.equal(isFull(at, thread), true);
});

test("a reply is counted as it is sent", () => {
  assert.equal(replyFrom("a\r\nb\n\n"), "a\nb");
  assert.equal(replyFrom("half \ud800"), "half \ufffd");
  const lines = (length) => measureReply("x".repeat(length)).lines;
  assert.deepEqual([0, 1, 1915, 1916, 7660, 7661].map(lines), [1, 1, 1, 2, 4, 5]);
  assert.throws(() => queue(desk(), letter(), "x".repeat(LONGEST + 1), TODAY), RangeError);
  assert.throws(() => queue(desk(), letter(), " \n", TODAY), RangeError);
});

test("what is saved comes back, and to its journalist alone", async () => {
  const at = desk();
  arrives(at);
  queue(at, letter(), "waiting", TODAY);
  at.state.cursor = "aa-1";
  at.state.shown.add([...at.state.entries.keys()][0]);
  at.state.others.set("f".repeat(32), TODAY);
  at.state.calls.set(thread, { day: TODAY, used: 1 });
  at.state.drafts.set(thread, "half a thought");
  const statement = { id: "a".repeat(16), time: "2026-11-22T06:00Z", says: "note", text: "a remark" };
  at.state.says.push({ thread, statement, after: ["b".repeat(32)], note: "" });
  at.state.reads.set("c".repeat(32), "2026-11-22T06:01Z");
  const saved = await sealState(at.state, people[0]);
  assert.ok(!Buffer.from(saved).includes("half a thought"));
  assert.deepEqual(await openState(new Blob([saved]), people[0]), at.state);
  await assert.rejects(openState(new Blob([saved]), people[1]), BadState);
  const flipped = Uint8Array.from(saved);
  flipped[flipped.length - 20] ^= 1;
  await assert.rejects(openState(new Blob([flipped]), people[0]), BadState);
});

test("what somebody else sealed to a journalist is not taken for their own work", async () => {
  const { recipient } = people[0];
  const planted = await sealState(newState(), { recipient, seed: people[1].seed });
  await assert.rejects(openState(new Blob([planted]), people[0]), BadState);
});

test("a key of a thread is all that its lines need", () => assert.equal(key.length, 32));
