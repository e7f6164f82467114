// Drops as people look at them: threads in the order of their last word, and what was said in each.

import { hexToBytes } from "@noble/hashes/utils.js";
import { Cases } from "./desk-cases.js";
import { condition } from "./desk-outbox.js";
import { inThread, isSilent, readBy } from "./desk-state.js";
import { title } from "./desk-text.js";
import { threadId } from "./thread.js";

/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * @typedef {object} Thread
 * @property {string} key the thread key in hex; the drop's id for a file that was sealed by hand
 * @property {Entry[]} entries
 * @property {boolean} unread
 * @property {boolean} byHand
 */

/**
 * @typedef {object} Turn one thing that was said
 * @property {string} day
 * @property {string | undefined} author a journalist's name; none is the source
 * @property {"drop" | "note" | "reply"} kind
 * @property {string} condition of a reply `read`, `expired`, `posted` or `waiting`; else `forged`, `late`,
 *   `note`, `passed` or nothing
 * @property {string} text
 * @property {Entry | null} entry what holds it
 */

/**
 * All threads, the one with the newest entry first.
 * @param {Desk} desk
 * @returns {Thread[]}
 */
export function threadsOf({ state }) {
  /** @type {Map<string, Entry[]>} */
  const groups = new Map();
  for (const entry of state.entries.values()) {
    if (entry.problem) continue;
    const key = entry.letter?.thread ?? entry.id;
    const group = groups.get(key) ?? [];
    if (!isSilent(entry)) groups.delete(key); // So that the last word decides the order.
    groups.set(key, [...group, entry]);
  }
  const said = [...groups].filter(([, entries]) => !entries.every(isSilent));
  return said.reverse().map(([key, entries]) => {
    const unread = entries.some(({ id }) => !state.shown.has(id));
    return { key, entries, unread, byHand: entries[0].letter === null };
  });
}

/** @type {WeakMap<Entry, string>} by a thread's first entry: without a JIT, a hundred ids take a while */
const names = new WeakMap();

/**
 * What people call a thread by: 8 hex digits.
 * @param {Thread} thread
 */
export function nameOf({ key, byHand, entries: [first] }) {
  const name = names.get(first) ?? (byHand ? key : threadId(hexToBytes(key))).slice(0, 8);
  names.set(first, name);
  return name;
}

/**
 * How a thread begins; empty where it has no text.
 * @param {Thread} thread
 */
export function titleOf({ entries }) {
  return title((entries.find(({ letter }) => letter?.kind === "drop") ?? entries[0]).text);
}

/**
 * What was said in a thread, in the order it came; what this desk has not heard back comes last.
 * @param {Desk} desk
 * @param {string} thread
 * @param {string} today
 * @returns {Turn[]}
 */
export function turnsOf(desk, thread, today) {
  const { state, name } = desk;
  const read = readBy(state, thread);
  const cases = new Cases(desk);
  const told = new Set();
  /** @type {Turn[]} */
  const turns = [];
  for (const entry of inThread(state, thread)) {
    const { letter, forged, day, text } = entry;
    const record = cases.believes(entry) ? letter?.reply : undefined;
    if (!letter || (letter.case && !record && !forged)) continue; // Said in the case, and not to the source.
    if (record && told.has(record.id)) continue; // Posted again: it was said once.
    if (record) told.add(record.id);
    turns.push({
      day,
      author: letter.author,
      kind: record ? "reply" : letter.kind,
      condition: record ? standing(desk, record.id, read, today) : conditionOf(desk, entry),
      text,
      entry,
    });
  }
  for (const reply of state.replies.values()) {
    if (reply.thread !== thread || told.has(reply.id)) continue;
    const stands = condition(desk, reply, today);
    const { day, text } = reply;
    turns.push({ day, author: name, kind: "reply", condition: stands, text, entry: null });
  }
  return turns;
}

/**
 * What there is to say of what is no reply.
 * @param {Desk} desk
 * @param {Entry} entry
 */
function conditionOf({ name }, { letter, forged, late }) {
  if (forged) return "forged";
  if (late) return "late";
  if (letter?.kind === "note") return "note";
  return letter?.to.includes(name) ? "" : "passed";
}

/**
 * @param {Desk} desk
 * @param {string} id
 * @param {ReadonlySet<string>} read
 * @param {string} today
 */
function standing(desk, id, read, today) {
  const own = desk.state.replies.get(id);
  if (own) return condition(desk, own, today);
  return read.has(id) ? "read" : "posted";
}

/**
 * The letter that an answer to a thread goes by: the source's last one, whose choice of readers is the
 * newest. None where the thread cannot be answered.
 * @param {readonly Entry[]} entries
 */
export function answered(entries) {
  const believed = entries.filter(({ forged, late }) => !forged && !late);
  const letters = believed.flatMap(({ letter }) => letter ?? []);
  return letters.findLast(({ kind }) => kind === "drop") ?? letters.at(-1) ?? null;
}
