// Requests to the relay's desk socket, relay/PROTOCOL.md. What it answers is a stranger's too: checked, and a
// drop is never longer than it was said to be.

import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { fetchBoard } from "./board.js";
import { BadDrop } from "./desk-reader.js";
import { GaveUp, Refused, TIMING, request, sleep } from "./http.js";

const TRIES = 4;
const ID = /^[0-9a-f]{32}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const CURSOR = /^[0-9a-f-]{1,200}$/;

/** @typedef {{id: string, size: number, day: string}} Listed a drop as the relay lists it */
/** @typedef {{base: string, signal: AbortSignal, timing?: import("./http.js").Timing}} Way */

/**
 * What arrived after a cursor, oldest first and in pieces, each with the cursor behind it; all there is after
 * none. Throws Refused for a list of another form.
 * @param {Way} way
 * @param {string} after
 */
export async function* listings(way, after) {
  for (let more = true; more; ) {
    const page = await list(way, after);
    yield page;
    // A cursor that stands still would be asked for again without end.
    more = page.more && page.cursor !== after;
    after = page.cursor;
  }
}

/**
 * @param {Way} way
 * @param {string} after
 * @returns {Promise<{drops: Listed[], cursor: string, more: boolean}>}
 */
async function list({ base, signal, timing }, after) {
  const url = after ? `${base}/drops?after=${after}` : `${base}/drops`;
  const body = await request(url, { method: "GET" }, 100_000, 200, { signal, timing, tries: TRIES });
  let said;
  try {
    said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Refused(200);
  }
  const { drops, cursor, more } = said ?? {};
  const right = Array.isArray(drops) && CURSOR.test(cursor) && typeof more === "boolean";
  if (!right || !drops.every(isListed) || (more && drops.length === 0)) throw new Refused(200);
  return { drops, cursor, more };
}

/** @param {any} one */
function isListed(one) {
  return ID.test(one?.id) && Number.isSafeInteger(one.size) && one.size > 0 && DAY.test(one.day);
}

/**
 * A drop's bytes. Goes on where a connection was cut, and gives up after some tries that brought nothing.
 * Throws BadDrop for one that the relay no longer has.
 * @param {Way} way
 * @param {Listed} drop
 * @param {(have: number) => void} report
 */
export async function download({ base, signal, timing = TIMING }, { id, size }, report) {
  /** @type {Blob[]} */
  let pieces = [];
  let have = 0;
  for (let tries = 0; have < size; tries++) {
    if (tries === TRIES) throw new GaveUp("no answer from the relay");
    if (tries > 0) await sleep(timing.pause * 2 ** tries, signal);
    const again = have > 0;
    await pour(`${base}/drops/${id}`, have, { signal, timing }, (piece, fromStart) => {
      if (fromStart && again) [pieces, have] = [[], 0];
      pieces.push(new Blob([piece])); // As bytes they would be there twice, until the browser tidies up.
      have += piece.length;
      if (have > size) throw new Refused(200);
      tries = 0;
      report(have);
    });
  }
  return new Blob(pieces);
}

/**
 * Hands on the bytes from a place on, as they come; ends early where the connection does.
 * @param {string} url
 * @param {number} from
 * @param {{signal: AbortSignal, timing: import("./http.js").Timing}} way
 * @param {(piece: Uint8Array<ArrayBuffer>, fromStart: boolean) => void} take
 */
async function pour(url, from, { signal, timing }, take) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), timing.patience);
  try {
    const answer = await fetch(url, {
      headers: from > 0 ? { Range: `bytes=${from}-` } : {},
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    const { status, body } = answer;
    if (status === 404) throw new BadDrop("gone");
    if (status === 408 || status >= 500) return;
    if ((status !== 200 && status !== 206) || !body) throw new Refused(status);
    let fromStart = status === 200;
    const reader = body.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), timing.patience);
      if (value) take(/** @type {Uint8Array<ArrayBuffer>} */ (value), fromStart);
      fromStart = false;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refused || error instanceof BadDrop) throw error;
  } finally {
    clearTimeout(timer);
    silence.abort(); // Where an error left the rest of the answer unread.
  }
}

/**
 * The board.
 * @param {Way} way
 * @param {{board_lines: number}} terms
 */
export function board({ base, signal, timing }, terms) {
  return fetchBoard(terms, { base, signal, timing, tries: TRIES });
}

/**
 * Puts lines on the board. Asked for once: what is not answered may be there.
 * @param {Way} way
 * @param {Uint8Array<ArrayBuffer>} lines
 */
export async function postBoard({ base, signal, timing }, lines) {
  const once = { signal, timing, tries: 1 };
  await request(`${base}/board`, { method: "POST", body: lines }, lines.length, 204, once);
}

/**
 * Stores a note, which is a drop of one part.
 * @param {Way} way
 * @param {Uint8Array<ArrayBuffer>} note
 */
export async function putNote({ base, signal, timing }, note) {
  const url = `${base}/drops/${bytesToHex(randomBytes(16))}/0?commit`;
  await request(url, { method: "PUT", body: note }, note.length, 201, { signal, timing, tries: TRIES });
}
