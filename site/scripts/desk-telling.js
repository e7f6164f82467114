// The one note of a sync, keys/FORMAT.md section 5, by the rules of the command line's keys/desk/notes.py:
// what a journalist has to tell colleagues, or a cover.

import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { Cases, reading } from "./desk-cases.js";
import { MOST } from "./desk-casework.js";
import { isSmallest, sealCover, sealNote } from "./desk-note.js";
import { smallCopy, smallOwed } from "./desk-passing.js";
import { inThread } from "./desk-state.js";

/** @typedef {import("./desk-letter.js").Letter} Letter */
/** @typedef {import("./desk-state.js").OwnReply} OwnReply */
/** @typedef {import("./desk-state.js").Saying} Saying */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * Whether there is something to say that no note has said yet.
 * @param {Desk} desk
 */
export function waits(desk) {
  const unsaid = desk.state.says.some((one) => !one.note);
  return unsaid || unread(desk).length > 0 || unrecorded(desk) !== undefined || smallOwed(desk).length > 0;
}

/**
 * Lets be said once more what did not come back: the box lists all that it took.
 * @param {Desk} desk
 */
export function tellAgain({ state }) {
  state.says = state.says.map((one) => ({ ...one, note: "" }));
}

/**
 * A note of the smallest size: the record of a reply that has none yet and what its author says in that case,
 * else what is said in another case, else a drop that is passed on, else what was read, else one that nobody
 * can open. What it holds counts as told once `sent` is called.
 * @param {Desk} desk
 * @returns {Promise<{sealed: Uint8Array, sent: () => void}>}
 */
export async function note(desk) {
  const reply = unrecorded(desk);
  if (reply) return speak(desk, reply.thread, reply);
  const said = desk.state.says.find((one) => !one.note);
  if (said) return speak(desk, said.thread);
  const copy = await smallCopy(desk);
  if (copy) return copy;
  const [read] = unread(desk);
  if (read) return speak(desk, read.thread);
  return { sealed: await sealCover(desk.edition.recipients.length), sent: () => {} };
}

/** @param {Desk} desk */
function unrecorded({ state }) {
  return [...state.replies.values()].find(({ live, recorded }) => live.length > 0 && !recorded);
}

/**
 * The drops that were read here, and of which nobody was told.
 * @param {Desk} desk
 */
function unread({ state }) {
  if (state.reads.size === 0) return [];
  const letters = [...state.entries.values()].flatMap(({ letter }) => letter ?? []);
  return letters.filter(({ kind, message }) => kind === "drop" && state.reads.has(message));
}

/**
 * A note of a case, with as many of the statements that wait as it holds.
 * @param {Desk} desk
 * @param {string} thread
 * @param {OwnReply} [reply]
 */
async function speak(desk, thread, reply) {
  const cases = new Cases(desk);
  const waiting = desk.state.says.filter((one) => one.thread === thread && !one.note);
  // What was said before a fetch and after it goes in two notes: `after` is one for all of a note.
  const told = waiting.filter(({ after }) => after.join() === waiting[0].after.join());
  const { heads } = cases.sent(thread);
  const reads = readsFor(desk, cases, thread);
  told.push(...reads.map((one) => ({ thread, statement: one, after: heads, note: "" })));
  told.splice(MOST);
  const text = reply?.text ?? "";
  const head = letterFor(desk, cases, thread, reply);
  let letter = saying(head, cases, told);
  while (told.length > 0 && !isSmallest(letter, text)) {
    told.pop();
    letter = saying(head, cases, told);
  }
  const { sealed, id } = await sealNote(letter, text, desk.edition.recipients, desk.journalist.seed);
  const sent = () => {
    if (reply) record(desk, reply);
    remember(desk, told.map((one) => ({ ...one, after: letter.case?.after ?? [], note: id })));
  };
  return { sealed, sent };
}

/**
 * What was read in cases of the same readers.
 * @param {Desk} desk
 * @param {Cases} cases
 * @param {string} thread
 */
function readsFor(desk, cases, thread) {
  const to = cases.to(thread).join();
  const alike = unread(desk).filter((letter) => cases.to(letter.thread).join() === to);
  return reading(new Map(alike.map(({ message }) => [message, desk.state.reads.get(message) ?? ""])));
}

/**
 * @param {Desk} desk
 * @param {Cases} cases
 * @param {string} thread
 * @param {OwnReply} [reply]
 * @returns {Letter}
 */
function letterFor({ state, edition, name }, cases, thread, reply) {
  const readers = [...cases.to(thread), ...(reply?.to ?? [])];
  const first = inThread(state, thread).at(0)?.letter;
  return {
    version: 1,
    kind: "note",
    newsroom: edition.newsroom,
    message: bytesToHex(randomBytes(16)),
    thread,
    language: reply?.language ?? first?.language ?? edition.language,
    to: edition.recipients.map((one) => one.name).filter((one) => readers.includes(one)),
    answers: {},
    read: [],
    author: name,
    ...(reply && { reply: { id: reply.id, lines: reply.live } }),
  };
}

/**
 * @param {Letter} letter
 * @param {Cases} cases
 * @param {readonly Saying[]} told
 * @returns {Letter}
 */
function saying(letter, cases, told) {
  if (told.length === 0) return letter;
  const after = cases.after(letter.thread, told[0].after);
  return { ...letter, case: { after, says: told.map((one) => one.statement) } };
}

/**
 * @param {Desk} desk
 * @param {OwnReply} reply
 */
function record({ state }, { id, live }) {
  const reply = state.replies.get(id);
  if (reply && reply.live.join() === live.join()) state.replies.set(id, { ...reply, recorded: true });
}

/**
 * Takes statements for told, until their note comes back.
 * @param {Desk} desk
 * @param {readonly Saying[]} told
 */
function remember({ state }, told) {
  const sent = new Map(told.map((one) => [one.statement.id, one]));
  const known = new Set(state.says.map((one) => one.statement.id));
  state.says = state.says.map((one) => sent.get(one.statement.id) ?? one);
  state.says.push(...told.filter((one) => !known.has(one.statement.id))); // What was read.
  for (const { statement: one } of told) {
    for (const message of one.says === "read" ? one.messages : []) state.reads.delete(message);
  }
}
