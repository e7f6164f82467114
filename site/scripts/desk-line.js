// Reply lines as a journalist writes them, keys/FORMAT.md section 4.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { FRAME, LINE, SIGNED, TEXT, labelFor, signedPart } from "./line.js";
import { lineKey } from "./thread.js";

/** The most lines that a reply may take. */
export const PARTS = 4;
/** The lines of one journalist in one thread. */
export const LINES = 256;
/** The longest reply, in bytes. */
export const LONGEST = PARTS * TEXT;

/**
 * The reply that is sent for a text as it was typed.
 * @param {string} typed
 */
export function replyFrom(typed) {
  return typed.replaceAll("\r\n", "\n").replace(/\n+$/, "").toWellFormed();
}

/**
 * How many bytes and lines a reply takes.
 * @param {string} text
 */
export function measureReply(text) {
  const bytes = utf8ToBytes(text).length;
  return { bytes, lines: Math.max(1, Math.ceil(bytes / TEXT)) };
}

/**
 * A reply's lines, one for each n. Refuses (RangeError) another number of them, and an empty reply.
 * @param {object} reply
 * @param {Uint8Array} reply.thread the thread key
 * @param {string} reply.newsroom the newsroom id
 * @param {Uint8Array} reply.seed the journalist's signing seed
 * @param {readonly number[]} reply.ns
 * @param {Uint8Array} reply.id 8 random bytes
 * @param {string} reply.text
 */
export function sealReply({ thread, newsroom, seed, ns, id, text }) {
  const bytes = utf8ToBytes(text);
  const k = Math.ceil(bytes.length / TEXT);
  if (k < 1 || k > PARTS || ns.length !== k) throw new RangeError("a reply has another number of lines");
  const signer = ed25519.getPublicKey(seed);
  return ns.map((n, i) => {
    const part = bytes.subarray(i * TEXT, (i + 1) * TEXT);
    const frame = new Uint8Array(FRAME);
    frame.set([1, ...id, i, k, part.length >> 8, part.length & 255]);
    frame.set(part, SIGNED - TEXT);
    frame.set(ed25519.sign(signedPart(newsroom, thread, n, frame.subarray(0, SIGNED)), seed), SIGNED);
    const label = labelFor(thread, signer, n);
    const nonce = randomBytes(24);
    const sealed = xchacha20poly1305(lineKey(thread, signer, n), nonce, label).encrypt(frame);
    return concatBytes(label, nonce, sealed);
  });
}

/** A line that says nothing. */
export function cover() {
  return randomBytes(LINE);
}
