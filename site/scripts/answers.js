// answers.html: twelve words in, the answers and this visit's own messages out, and a way to write back.

import { hexToBytes } from "@noble/hashes/utils.js";
import { fetchBoard } from "./board.js";
import { entropyFrom } from "./codename.js";
import { choose, clear, draftFrom, filled } from "./form.js";
import { framesOn, repliesIn } from "./line.js";
import {
  announce,
  complain,
  copyOf,
  edition,
  element,
  onClick,
  onSubmit,
  part,
  sentence,
  show,
  start,
} from "./page.js";
import { deliver, sending } from "./sending.js";
import { threadKey } from "./thread.js";
import { forgetWords, readWords } from "./words.js";

/**
 * @typedef {object} Entry
 * @property {"reply" | "incomplete" | "forged" | "own"} kind
 * @property {string} author
 * @property {string} note
 * @property {string} text
 */

const signers = edition.recipients.map(({ signer }) => hexToBytes(signer));

/** @type {Uint8Array | null} the thread key, once the words were typed */
let thread = null;
/** Whether the board was there at the last look: else nobody knows that there is no answer. */
let known = false;
/** @type {Map<string, Entry>} in the order in which this visit saw them */
const conversation = new Map();
/** @type {Set<string>} ids of the replies that were shown, which a desk then stops posting */
const read = new Set();
/** @type {Set<string>} names of those who answered */
const answered = new Set();

onSubmit("enter", open);
onSubmit("write", writeBack);
onClick("again", async () => {
  board = download();
  if (await look()) announce(sentence("looked"));
});
onClick("close", close);

start("enter", () => filled() || sending());
let board = download();

/** The board, as the page loads; null where it could not be had. */
function download() {
  return fetchBoard(edition.terms).catch(() => null);
}

async function open() {
  const entropy = readWords(entropyFrom);
  if (!entropy) return;
  thread = threadKey(entropy, edition.newsroom);
  forgetWords();
  show("thread");
  await look();
  choose(answered);
}

/** Shows what the board holds for the thread; whether there was a board. */
async function look() {
  const key = thread;
  complain("");
  announce(sentence("board_loading"));
  const bytes = await board;
  const frames = key && bytes ? await framesOn(bytes, key, edition.newsroom, signers) : [];
  announce("");
  if (key !== thread) return false; // Closed in the meantime.
  known = bytes !== null;
  if (!known) complain(sentence("board_failed"));
  repliesIn(frames).forEach(record);
  render();
  return known;
}

/** @param {import("./line.js").Reply} reply */
function record({ signer, id, state, text, have, of }) {
  const recipient = edition.recipients.find((one) => one.signer === signer);
  const { name, title } = recipient ?? { name: "", title: "" };
  const author = title || name;
  const key = `${name} ${state === "forged" ? state : id}`;
  if (state === "whole") {
    read.add(id);
    answered.add(name);
    conversation.set(key, { kind: "reply", author, note: "", text });
  } else if (conversation.get(key)?.kind !== "reply") {
    const note = sentence(state, { author, have, of });
    conversation.set(key, { kind: state, author, note, text: "" });
  }
}

async function writeBack() {
  const draft = thread && draftFrom(thread, [...read]);
  announce("");
  if (!draft || !(await deliver(draft, "thread"))) return;
  const names = draft.files.map(({ name }) => name);
  const files = new Intl.ListFormat(edition.language).format(names);
  conversation.set(`own ${conversation.size}`, {
    kind: "own",
    author: sentence("own"),
    note: names.length > 0 ? sentence("own_files", { files }) : "",
    text: draft.text,
  });
  clear();
  choose(answered);
  render();
  show("thread");
  announce(sentence("sent"));
}

function close() {
  thread = null;
  conversation.clear();
  read.clear();
  answered.clear();
  clear();
  render();
  announce("");
  show("enter");
}

function render() {
  element("none").hidden = !known || [...conversation.values()].some(({ kind }) => kind !== "own");
  element("conversation").replaceChildren(...[...conversation.values()].map(itemFor));
}

/** @param {Entry} entry */
function itemFor({ kind, author, note, text }) {
  const item = copyOf("entry");
  item.dataset.kind = kind;
  part(item, "author").textContent = author;
  part(item, "note").textContent = note;
  part(item, "note").hidden = note === "";
  part(item, "text").textContent = text;
  part(item, "text").hidden = text === "";
  return item;
}
