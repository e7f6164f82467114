// Reply lines as the source reads them, keys/FORMAT.md section 4.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { breathe } from "./breathe.js";
import { labelKey, lineKey } from "./thread.js";

/** A line's length in bytes. */
export const LINE = 2048;

const LABEL = 16;
const NONCE = 24;
/** A frame's length, the part of it that is signed, and the most text in it, in bytes. */
export const FRAME = 1992;
export const SIGNED = 1928;
const HEAD = 13;
export const TEXT = SIGNED - HEAD;
const NUMBERS = 256;

/**
 * @typedef {object} Frame what one line says
 * @property {string} signer hex
 * @property {number} n
 * @property {string} reply hex
 * @property {number} i
 * @property {number} k
 * @property {Uint8Array} text
 * @property {boolean} forged
 */

/**
 * @typedef {object} Reply
 * @property {string} signer hex
 * @property {string} id hex
 * @property {"whole" | "incomplete" | "forged"} state
 * @property {string} text empty unless whole
 * @property {number} have how many parts are there
 * @property {number} of how many there are
 */

/**
 * The label of a journalist's line number n.
 * @param {Uint8Array} thread the thread key
 * @param {Uint8Array} signer
 * @param {number} n
 */
export function labelFor(thread, signer, n) {
  return hmac(sha256, labelKey(thread), concatBytes(signer, Uint8Array.of(n))).subarray(0, LABEL);
}

/**
 * Every frame on the board that belongs to the thread, by signer in the given order and then by n. A label
 * that two lines carry is opened under both.
 * @param {Uint8Array} board whole lines
 * @param {Uint8Array} thread the thread key
 * @param {string} newsroom the newsroom id
 * @param {readonly Uint8Array[]} signers
 */
export async function framesOn(board, thread, newsroom, signers) {
  /** @type {Map<string, Uint8Array[]>} */
  const lines = new Map();
  for (let at = 0; at < board.length; at += LINE) {
    const line = board.subarray(at, at + LINE);
    const label = bytesToHex(line.subarray(0, LABEL));
    lines.set(label, [...(lines.get(label) ?? []), line]);
  }
  const labels = hmac.create(sha256, labelKey(thread));
  /** @type {Frame[]} */
  const frames = [];
  for (const signer of signers) {
    await breathe();
    for (let n = 0; n < NUMBERS; n++) {
      const label = labels.clone().update(signer).update(Uint8Array.of(n)).digest().subarray(0, LABEL);
      for (const line of lines.get(bytesToHex(label)) ?? []) {
        const frame = openLine(line, thread, newsroom, signer, n);
        if (frame) frames.push(frame);
      }
    }
  }
  return frames;
}

/**
 * What a line says, its signature checked; null where it does not decrypt, and is thus not of this thread.
 * @param {Uint8Array} line
 * @param {Uint8Array} thread the thread key
 * @param {string} newsroom
 * @param {Uint8Array} signer
 * @param {number} n
 * @returns {Frame | null}
 */
function openLine(line, thread, newsroom, signer, n) {
  const nonce = line.subarray(LABEL, LABEL + NONCE);
  const cipher = xchacha20poly1305(lineKey(thread, signer, n), nonce, line.subarray(0, LABEL));
  let frame;
  try {
    frame = cipher.decrypt(line.subarray(LABEL + NONCE));
  } catch {
    return null;
  }
  const [version, i, k] = [frame[0], frame[9], frame[10]];
  const length = frame[11] * 256 + frame[12];
  const signed = signedPart(newsroom, thread, n, frame.subarray(0, SIGNED));
  const genuine =
    ed25519.verify(frame.subarray(SIGNED), signed, signer, { zip215: false }) &&
    version === 1 &&
    k >= 1 &&
    k <= 4 &&
    i < k &&
    length <= TEXT &&
    frame.subarray(HEAD + length, SIGNED).every((byte) => byte === 0);
  return {
    signer: bytesToHex(signer),
    n,
    reply: bytesToHex(frame.subarray(1, 9)),
    i,
    k,
    text: frame.slice(HEAD, HEAD + length),
    forged: !genuine,
  };
}

/**
 * What a line's signature is made over.
 * @param {string} newsroom the newsroom id
 * @param {Uint8Array} thread the thread key
 * @param {number} n
 * @param {Uint8Array} begin the frame's first bytes
 */
export function signedPart(newsroom, thread, n, begin) {
  const id = utf8ToBytes(newsroom);
  const head = [utf8ToBytes("knothole/v1/line"), Uint8Array.of(id.length), id];
  return concatBytes(...head, thread, Uint8Array.of(n), begin);
}

/**
 * The replies that frames make up, in the frames' order. A forged frame spoils no genuine one: all of a
 * signer's make one forged entry.
 * @param {readonly Frame[]} frames
 * @returns {Reply[]}
 */
export function repliesIn(frames) {
  /** @type {Map<string, Frame[]>} */
  const groups = new Map();
  for (const frame of frames) {
    const key = frame.signer + (frame.forged ? "" : frame.reply);
    groups.set(key, [...(groups.get(key) ?? []), frame]);
  }
  return [...groups.values()].map(joined);
}

/**
 * @param {readonly Frame[]} frames of one signer and one reply, or forged ones of one signer
 * @returns {Reply}
 */
function joined(frames) {
  const { signer, reply: id, k } = frames[0];
  const parts = new Map(frames.map((frame) => [frame.i, frame.text]));
  const reply = { signer, id, text: "", have: parts.size, of: k };
  if (frames.some((frame) => frame.forged || frame.k !== k)) return { ...reply, state: "forged" };
  if (parts.size < k) return { ...reply, state: "incomplete" };
  const bytes = concatBytes(...[...parts].sort(([a], [b]) => a - b).map(([, text]) => text));
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { ...reply, state: "whole", text };
  } catch {
    return { ...reply, state: "forged" };
  }
}
