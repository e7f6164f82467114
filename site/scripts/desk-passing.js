// Passing a case on, keys/FORMAT.md section 8, by the rules of the command line's
// keys/desk/casework/passing.py: the drops and notes of a thread, sealed again for new readers.

import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { Cases } from "./desk-cases.js";
import { download, listings } from "./desk-client.js";
import { SMALLEST, member } from "./desk-note.js";
import { BadDrop, open } from "./desk-reader.js";
import { inThread } from "./desk-state.js";
import { inChunks, sealTo, sealWhole, sealedSize } from "./drop.js";
import { header } from "./tar.js";
import { upload } from "./upload.js";

const PIECE = 64 * 1024;

/** @typedef {import("./desk-client.js").Way} Way */
/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {import("./desk-sync.js").Stage} Stage */
/** @typedef {{entry: Entry, to: string[]}} Owed a drop that this desk passes on, and to whom */

/**
 * What this desk has to pass on.
 * @param {Desk} desk
 * @param {Cases} [cases]
 * @returns {Owed[]}
 */
export function owed(desk, cases = new Cases(desk)) {
  const widened = Map.groupBy(cases.mine("widen"), ({ thread }) => thread);
  return [...widened].flatMap(([thread, said]) => {
    const names = new Set(said.flatMap(({ statement }) => statement.to));
    return heldOf(desk, thread, cases).flatMap((entry) => {
      const to = lacking(desk, cases, entry).filter((name) => names.has(name));
      return to.length > 0 ? { entry, to } : [];
    });
  });
}

/**
 * What widening a case passes on: the drops and readers' notes of a thread that may be taken for their
 * authors' word.
 * @param {Desk} desk
 * @param {string} thread
 * @param {Cases} [cases]
 */
export function heldOf(desk, thread, cases = new Cases(desk)) {
  const { readers } = cases.of(thread);
  return inThread(desk.state, thread).filter((entry) => {
    const author = entry.letter?.author;
    return (author === undefined || readers.has(author)) && cases.believes(entry);
  });
}

/**
 * Whom the page lists and who has no such drop, as far as this desk knows: who said to have read it has it.
 * @param {Desk} desk
 * @param {Cases} cases
 * @param {Entry} entry
 */
function lacking({ state, edition }, cases, { id, letter }) {
  if (!letter) return [];
  const { thread, message, to, author } = letter;
  const reads = cases.of(thread).reads.get(message)?.keys() ?? [];
  const has = new Set([...to, author, ...(state.passed.get(id) ?? []), ...reads]);
  return edition.recipients.map(({ name }) => name).filter((name) => !has.has(name));
}

/**
 * Whether all of a drop is in this page. One without files can be written again from what was read of it.
 * @param {Desk} desk
 * @param {Entry} entry
 */
export function isHere({ sealed }, { id, files }) {
  return sealed.has(id) || files.length === 0;
}

/**
 * Whether a drop has the smallest size, so that a copy can take the place of a sync's note.
 * @param {Entry} entry
 */
export function isSmall({ plain }) {
  return plain <= SMALLEST;
}

/**
 * Whether the box still has what of a thread is not in this page any more. The box does not learn which that
 * is. Throws as `listings` does.
 * @param {Desk} desk
 * @param {Way} way
 * @param {string} thread
 */
export async function canPassOn(desk, way, thread) {
  const away = heldOf(desk, thread).filter((entry) => !isHere(desk, entry));
  if (away.length === 0) return true;
  const there = new Set();
  for await (const { drops } of listings(way, "")) for (const { id } of drops) there.add(id);
  return away.every(({ id }) => there.has(id));
}

/**
 * A copy that takes the place of a sync's note, if one waits. It counts as passed on once `sent` is called.
 * @param {Desk} desk
 * @returns {Promise<{sealed: Uint8Array, sent: () => void} | null>}
 */
export async function smallCopy(desk) {
  const one = smallOwed(desk).at(0);
  if (!one) return null;
  const { entry, to } = one;
  const sealed = await sealWhole(plaintext(desk, entry), to, desk.edition.recipients);
  return { sealed, sent: () => passed(desk, one) };
}

/**
 * What takes the place of notes, one a sync.
 * @param {Desk} desk
 */
export function smallOwed(desk) {
  return owed(desk).filter(({ entry }) => isSmall(entry) && isHere(desk, entry));
}

/**
 * Uploads what is too large for a note, and fetches what is to be passed on and is not here. A copy that was
 * cut off begins anew: nobody ever sees one that is not whole. What the box no longer has, or has altered,
 * stays owed.
 * @param {Desk} desk
 * @param {Way} way
 * @param {(stage: Stage) => void} report
 */
export async function passOn(desk, way, report) {
  const waiting = owed(desk).filter(({ entry }) => !isSmall(entry) || !isHere(desk, entry));
  for (const [at, one] of waiting.entries()) {
    const say = (/** @type {Stage} */ stage) => report({ ...stage, left: waiting.length - at });
    try {
      await passOne(desk, way, one, say);
    } catch (error) {
      if (!(error instanceof BadDrop)) throw error;
    }
  }
}

/**
 * @param {Desk} desk
 * @param {Way} way
 * @param {Owed} one
 * @param {(stage: Stage) => void} report
 */
async function passOne(desk, way, one, report) {
  const { entry, to } = one;
  const { recipients } = desk.edition;
  const fetched = (/** @type {number} */ have) => report({ step: "drop", have, size: entry.size });
  const sealed = isHere(desk, entry) ? desk.sealed.get(entry.id) : await download(way, entry, fetched);
  if (sealed && isSmall(entry)) {
    desk.sealed.set(entry.id, sealed);
    return;
  }
  const size = sealedSize(entry.plain, recipients.length);
  const parts = sealTo(plaintext(desk, entry, sealed), to, recipients);
  const sent = (/** @type {import("./upload.js").Progress} */ { done: have, waiting: silent }) =>
    report({ step: "pass", have, size, silent });
  await upload({ ...way, parts, size, report: sent });
  passed(desk, one);
}

/**
 * The very plaintext of a drop, padding and signature and all.
 * @param {Desk} desk
 * @param {Entry} entry
 * @param {Blob} [sealed]
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* plaintext(desk, entry, sealed = desk.sealed.get(entry.id)) {
  let left = entry.plain;
  for await (const piece of sealed ? opened(desk, sealed) : written(entry)) {
    left -= piece.length;
    if (left < 0) break;
    yield piece;
  }
  if (left !== 0) throw new BadDrop("format");
}

/**
 * @param {Desk} desk
 * @param {Blob} sealed
 */
async function* opened({ journalist, place }, sealed) {
  const plain = await open(sealed, journalist.identities, place);
  try {
    for (let piece = await plain.some(PIECE); piece.length > 0; piece = await plain.some(PIECE)) yield piece;
  } finally {
    await plain.cancel();
  }
}

/**
 * A drop without files, as its author wrote it.
 * @param {Entry} entry
 */
async function* written({ head, text, signature, plain }) {
  const signed = hexToBytes(signature);
  const tar = concatBytes(member("drop.json", head), member("message.txt", text));
  const whole = new Uint8Array(plain);
  whole.set(tar);
  if (signed.length > 0) whole.set(concatBytes(header("drop.sig", signed.length), signed), tar.length);
  yield* inChunks(whole);
}

/**
 * @param {Desk} desk
 * @param {Owed} one
 */
function passed({ state }, { entry: { id }, to }) {
  state.passed.set(id, [...(state.passed.get(id) ?? []), ...to]);
}
