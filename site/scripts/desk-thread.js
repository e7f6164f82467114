// One conversation, and the answer to it.

import { people, personOf } from "./desk-case-words.js";
import { Cases } from "./desk-cases.js";
import { fileItems } from "./desk-files.js";
import { PARTS, measureReply, replyFrom } from "./desk-line.js";
import { isFull, queue } from "./desk-outbox.js";
import { visible } from "./desk-text.js";
import { answered, nameOf, turnsOf } from "./desk-threads.js";
import { control, copyOf, element, mark, part, sentence } from "./page.js";

/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {import("./desk-threads.js").Thread} Thread */
/** @typedef {import("./desk-threads.js").Turn} Turn */

const field = control("message", HTMLTextAreaElement);

/**
 * Shows a thread.
 * @param {Desk} desk
 * @param {Thread} thread
 * @param {string} today
 * @param {(entry: Entry) => Promise<Blob | null>} fetchAgain
 */
export function showThread(desk, thread, today, fetchAgain) {
  const { key, entries, byHand } = thread;
  const cases = new Cases(desk);
  element("thread-title").textContent = sentence("thread", { id: nameOf(thread) });
  element("by-hand").hidden = !byHand;
  const turns = byHand ? entries.map(turnByHand) : turnsOf(desk, key, today);
  const { reads } = cases.of(key);
  element("conversation").replaceChildren(
    ...turns.map((turn) => {
      const item = itemFor(desk, turn, fetchAgain);
      const readers = [...(reads.get(turn.entry?.letter?.message ?? "")?.keys() ?? [])];
      part(item, "read").textContent = sentence("read_by", { names: people(desk, readers) });
      part(item, "read").hidden = readers.length === 0;
      return item;
    }),
  );
  element("files-warning").hidden = entries.every(({ files }) => files.length === 0);
  const letter = answered(entries);
  element("reply").hidden = letter === null || isFull(desk, key);
  element("full").hidden = letter === null || !isFull(desk, key);
  const to = [...new Set([...cases.to(key), ...(letter?.to ?? [])])].filter((name) => name !== desk.name);
  const others = people(desk, to);
  element("readers").textContent = to.length > 0 ? sentence("readers", { others }) : sentence("readers_none");
  const draft = desk.state.drafts.get(key) ?? "";
  if (field.value !== draft) field.value = draft; // Or the cursor would jump.
  count();
}

/** @param {Entry} entry @returns {Turn} */
function turnByHand(entry) {
  return { day: entry.day, author: undefined, kind: "drop", condition: "", text: "", entry };
}

/**
 * @param {Desk} desk
 * @param {Turn} turn
 * @param {(entry: Entry) => Promise<Blob | null>} fetchAgain
 */
function itemFor(desk, { day, author, kind, condition, text, entry }, fetchAgain) {
  const item = copyOf("turn");
  item.dataset.kind = ["forged", "late"].includes(condition) ? "forged" : author === desk.name ? "own" : kind;
  const who = author === undefined ? sentence("source") : personOf(desk, author);
  part(item, "author").textContent = who;
  part(item, "day").textContent = day;
  const said = condition && sentence(condition, { author: who });
  part(item, "note").textContent = said;
  part(item, "note").hidden = said === "";
  part(item, "answers").replaceChildren(...answersOf(desk, entry));
  part(item, "text").textContent = visible(text);
  part(item, "text").hidden = text === "";
  if (entry) part(item, "files").replaceChildren(...fileItems(desk, entry, fetchAgain));
  return item;
}

/**
 * @param {Desk} desk
 * @param {Entry | null} entry
 */
function answersOf({ edition }, entry) {
  return Object.entries(entry?.letter?.answers ?? {}).flatMap(([id, answer]) => {
    const term = document.createElement("dt");
    term.textContent = edition.questions.find((one) => one.id === id)?.ask ?? id;
    const value = document.createElement("dd");
    value.dir = "auto";
    value.textContent = visible(answer);
    return [term, value];
  });
}

/** Says how many lines the reply takes. */
export function count() {
  const { lines } = measureReply(replyFrom(field.value));
  const key = lines > PARTS ? "lines_many" : "lines";
  element("lines").textContent = sentence(key, { lines, most: PARTS });
  return lines;
}

/**
 * Keeps what is typed as a draft.
 * @param {Desk} desk
 * @param {string} key
 */
export function keepDraft({ state }, key) {
  if (field.value === "") state.drafts.delete(key);
  else state.drafts.set(key, field.value);
}

/**
 * Queues what is typed as a reply, and gives its id; null where it is none, which the page then says.
 * @param {Desk} desk
 * @param {Thread} thread
 * @param {string} today
 */
export function queueReply(desk, { key, entries }, today) {
  const text = replyFrom(field.value);
  const letter = answered(entries);
  mark("message", "");
  if (text.trim() === "") mark("message", sentence("reply_empty"));
  else if (count() > PARTS) mark("message", sentence("lines_many", { lines: count(), most: PARTS }));
  else if (letter && !isFull(desk, key)) {
    desk.state.drafts.delete(key);
    return queue(desk, letter, text, today);
  }
  return null;
}
