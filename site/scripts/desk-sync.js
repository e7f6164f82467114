// One sync, keys/FORMAT.md section 5: the same requests of the same sizes in the same order, whatever there
// is to say.

import { bytesToHex } from "@noble/hashes/utils.js";
import { board as fetchBoard, download, listings, postBoard, putNote } from "./desk-client.js";
import { dayAfter } from "./desk-days.js";
import { read, signedBy } from "./desk-drop.js";
import { noteId } from "./desk-note.js";
import { post } from "./desk-outbox.js";
import { passOn } from "./desk-passing.js";
import { BadDrop, NotForYou } from "./desk-reader.js";
import { forget, isSilent, judgeAgain, learn, newest } from "./desk-state.js";
import { note, tellAgain, waits } from "./desk-telling.js";

/** Ciphertext that is kept while the page is open, in bytes: beyond it, a file is fetched again. */
const KEPT = 512 * 1024 * 1024;

/** @typedef {import("./desk-client.js").Listed} Listed */
/** @typedef {import("./desk-client.js").Way} Way */
/** @typedef {import("./desk-state.js").Entry} Entry */

/**
 * @typedef {object} Terms
 * @property {number} drop_bytes
 * @property {number} board_lines
 * @property {number} board_post
 * @property {number} retention_days
 */

/**
 * @typedef {object} DeskEdition what desk.html knows of its newsroom
 * @property {string} newsroom the newsroom id
 * @property {string} language
 * @property {string} expires YYYY-MM-DD
 * @property {string} relay where the desk onion is
 * @property {number} idle_minutes after which the page locks itself
 * @property {import("./page.js").Recipient[]} recipients in the page's order
 * @property {{name: string, title: string, recipients: string[]}[]} partners
 * @property {number} edition its number
 * @property {{name: string, signer: string, until: string}[]} former keys that ended
 * @property {{id: string, ask: string}[]} questions
 * @property {Terms} terms
 */

/**
 * @typedef {object} Desk one that is open
 * @property {DeskEdition} edition
 * @property {import("./desk-identity.js").Journalist} journalist
 * @property {string} name the journalist's, on the page
 * @property {number} place where the page lists them
 * @property {import("./desk-state.js").State} state
 * @property {Map<string, Blob>} sealed drops as they came, by id
 */

/**
 * @typedef {object} Fetched what a sync brought
 * @property {number} drops
 * @property {number} notes
 * @property {number} problems
 */

/**
 * @typedef {object} Stage where a sync is; of drops it tells how many are left, and how much of one is there
 * @property {"list" | "drop" | "board" | "post" | "pass"} step
 * @property {number} [have]
 * @property {number} [size]
 * @property {number} [left]
 * @property {boolean} [silent] whether the box does not answer just now
 */

/**
 * Fetches what is new, posts lines and one note, and uploads what is passed on and no note can hold. Throws
 * GaveUp, Refused or the signal's reason; what was fetched until then stays, and what was not posted waits.
 * @param {Desk} desk
 * @param {Way} way
 * @param {string} today
 * @param {(stage: Stage) => void} report
 * @param {boolean} [every] whether to put as many notes as wait, so that the box sees how many
 * @returns {Promise<Fetched>}
 */
export async function sync(desk, way, today, report, every = false) {
  const { state, edition } = desk;
  report({ step: "list" });
  const fetched = { drops: 0, notes: 0, problems: 0 };
  await fetchAll(desk, way, fetched, report);
  tellAgain(desk);
  report({ step: "board" });
  const board = await fetchBoard(way, edition.terms);
  const lines = await post(desk, board, today);
  report({ step: "post" });
  await postBoard(way, Uint8Array.from(lines));
  do {
    const { sealed, sent } = await note(desk);
    await putNote(way, Uint8Array.from(sealed));
    sent();
  } while (every && waits(desk));
  await passOn(desk, way, report);
  forget(state, dayAfter(today, -2 * edition.terms.retention_days - 30));
  return fetched;
}

/**
 * @param {Desk} desk
 * @param {Way} way
 * @param {Fetched} fetched
 * @param {(stage: Stage) => void} report
 */
async function fetchAll(desk, way, fetched, report) {
  const { state } = desk;
  const since = newest(state);
  judgeAgain(state, desk.edition.edition);
  for await (const { drops, cursor } of listings(way, state.cursor)) {
    const fresh = drops.filter(({ id }) => !state.entries.has(id) && !state.others.has(id));
    for (const [at, listed] of fresh.entries()) {
      const left = fresh.length - at;
      const counted = (/** @type {number} */ have) =>
        report({ step: "drop", have, size: listed.size, left });
      counted(0);
      const entry = await fetchOne(desk, way, { listed, since }, counted);
      if (!entry || isSilent(entry)) continue;
      if (entry.problem) fetched.problems++;
      else if (entry.letter?.kind === "note") fetched.notes++;
      else fetched.drops++;
    }
    state.cursor = cursor;
  }
}

/**
 * @param {Desk} desk
 * @param {Way} way
 * @param {{listed: Listed, since: string}} drop
 * @param {(have: number) => void} report
 */
async function fetchOne(desk, way, { listed, since }, report) {
  try {
    if (listed.size > Math.min(desk.edition.terms.drop_bytes, KEPT)) throw new BadDrop("large");
    const sealed = await download(way, listed, report);
    return await takeIn(desk, listed, sealed, since);
  } catch (error) {
    if (!(error instanceof BadDrop)) throw error;
    return enter(desk, listed, { problem: error.reason });
  }
}

/**
 * The entry of a drop, which the desk remembers from now on; null for one that is for others, or a canary.
 * @param {Desk} desk
 * @param {Listed} listed
 * @param {Blob} sealed
 * @param {string} [since] the newest day of an earlier listing: nothing new came before it
 * @returns {Promise<Entry | null>}
 */
export async function takeIn(desk, listed, sealed, since = "") {
  const { state, journalist, place, edition, name } = desk;
  let drop;
  try {
    drop = await read(sealed, { ...journalist, place });
  } catch (error) {
    if (!(error instanceof NotForYou)) throw error;
    state.others.set(listed.id, listed.day);
    return null;
  }
  const { letter, text, files, plain, head } = drop;
  if (letter && letter.newsroom !== edition.newsroom) throw new BadDrop("newsroom");
  const own = letter?.kind === "note" ? noteId(drop.digest) : "";
  const { forged, late } = judge(edition, drop, listed.day > since ? listed.day : since);
  if (letter && [...state.entries.values()].some((one) => isCopy(one, letter, own, forged))) {
    if (letter.to.includes(name) || letter.author === name) throw new BadDrop("copy");
    state.others.set(listed.id, listed.day); // Passed on by two colleagues.
    return null;
  }
  if (letter?.canary && !forged) {
    if (!state.calls.has(letter.thread) && !late) {
      state.calls.set(letter.thread, { day: listed.day, used: 0 });
    }
    state.others.set(listed.id, listed.day);
    return null;
  }
  if (letter?.author === name && !forged && !late) {
    learn(state, letter, text, listed.day);
    state.shown.add(listed.id);
  }
  keep(desk, listed.id, sealed, files.length);
  const signature = bytesToHex(drop.signature);
  const told = { letter, text, files, note: own, forged, late, plain, head, signature };
  const entry = enter(desk, listed, told);
  if (isSilent(entry)) state.shown.add(entry.id);
  return entry;
}

/**
 * Whether a note is forged, or late, keys/FORMAT.md section 9.
 * @param {DeskEdition} edition
 * @param {import("./desk-drop.js").Drop} drop
 * @param {string} came the day that counts
 */
function judge({ recipients, former }, drop, came) {
  const author = drop.letter?.author;
  const listed = recipients.find(({ name }) => name === author);
  if (author === undefined) return { forged: false, late: false };
  if (listed && signedBy(drop, listed.signer)) return { forged: false, late: false };
  const ended = former.find(({ name, signer }) => name === author && signedBy(drop, signer));
  return { forged: !ended, late: ended !== undefined && came > ended.until };
}

/**
 * Whether an entry holds this drop, or this note: nobody can make two notes of one id, but anybody can put
 * another signature below one.
 * @param {Entry} entry
 * @param {import("./desk-letter.js").Letter} letter
 * @param {string} own the note's id
 * @param {boolean} forged
 */
function isCopy(entry, { kind, message }, own, forged) {
  if (entry.letter?.kind !== kind) return false;
  return kind === "note" ? entry.note === own && entry.forged === forged : entry.letter.message === message;
}

/**
 * @param {Desk} desk
 * @param {Listed} listed
 * @param {Partial<Entry>} found
 */
function enter({ state }, { id, day, size }, found) {
  const none = { letter: null, text: "", files: [], note: "", forged: false, late: false, problem: "" };
  const unread = { plain: 0, head: "", signature: "" };
  const entry = { id, day, size, ...none, ...unread, ...found };
  state.entries.set(id, entry);
  return entry;
}

/**
 * Keeps a drop with files as it came, while there is room.
 * @param {Desk} desk
 * @param {string} id
 * @param {Blob} sealed
 * @param {number} files
 */
export function keep({ sealed: kept }, id, sealed, files) {
  const taken = [...kept.values()].reduce((total, one) => total + one.size, sealed.size);
  if (files > 0 && taken <= KEPT) kept.set(id, sealed);
}
