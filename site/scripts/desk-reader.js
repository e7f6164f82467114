// Opening what was sealed to a journalist, and reading it with flat memory.

import { Decrypter } from "age-encryption";
import { breathe } from "./breathe.js";
import { inChunks, pulled } from "./drop.js";

const LONGEST_HEAD = 1024 * 1024;
const MAC_MARK = new TextEncoder().encode("\n--- ");
const NOTHING = new Uint8Array();

/** What was sealed is for somebody else. */
export class NotForYou extends Error {}

/** A drop breaks the format, or is not whole; nothing in it counts. */
export class BadDrop extends Error {
  /** @param {"age" | "format" | "newsroom" | "copy" | "large" | "gone"} reason */
  constructor(reason) {
    super(`a drop was refused: ${reason}`);
    this.reason = reason;
  }
}

/**
 * What an age file holds for whoever has one of these identities, as a reader. Throws BadDrop for a malformed
 * header and NotForYou for one without a stanza for any; the reader throws BadDrop where the file is altered
 * or cut short.
 * @param {Blob} sealed
 * @param {readonly string[]} identities AGE-SECRET-KEY-PQ-1…
 * @param {number} place of the stanza to try first
 */
export async function open(sealed, identities, place) {
  const head = new Uint8Array(await sealed.slice(0, LONGEST_HEAD).arrayBuffer());
  if (!holds(head, MAC_MARK)) throw new BadDrop("age"); // The library would look for it without end.
  const theirs = new Decrypter();
  for (const identity of identities) theirs.addIdentity(identity);
  // To be able to try one stanza first, which is one operation in place of one a stanza.
  const unwrap = /** @type {{unwrapFileKey: import("age-encryption").Identity["unwrapFileKey"]}} */ (
    /** @type {unknown} */ (theirs)
  );
  let mine = true;
  const placed = new Decrypter();
  placed.addIdentity({
    async unwrapFileKey(stanzas) {
      const first = await unwrap.unwrapFileKey(stanzas.slice(place, place + 1));
      const key = first ?? (await unwrap.unwrapFileKey(stanzas));
      mine = key !== null;
      return key;
    },
  });
  try {
    return new Reader(await placed.decrypt(pulled(chunksOf(sealed))));
  } catch {
    throw mine ? new BadDrop("age") : new NotForYou();
  }
}

/**
 * A blob's bytes, a little at a time: a browser may hand out all of one that is in its memory.
 * @param {Blob} blob
 */
async function* chunksOf(blob) {
  const reader = blob.stream().getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (value) yield* inChunks(value);
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} mark
 */
function holds(bytes, mark) {
  for (let at = bytes.indexOf(mark[0]); at >= 0; at = bytes.indexOf(mark[0], at + 1)) {
    if (mark.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

/** Bytes from a stream of pieces, as many as are asked for. Throws BadDrop where the stream fails. */
export class Reader {
  #source;
  /** @type {Uint8Array<ArrayBufferLike>} */
  #held = NOTHING;
  /** How many bytes were taken so far and not given back. */
  taken = 0;

  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.#source = stream.getReader();
  }

  /**
   * At least one byte and at most so many; none at the end.
   * @param {number} most
   */
  async some(most) {
    while (this.#held.length === 0) {
      await breathe();
      const { done, value } = await this.#source.read().catch(() => {
        throw new BadDrop("age");
      });
      if (done) return NOTHING;
      this.#held = value;
    }
    const piece = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(piece.length);
    this.taken += piece.length;
    return piece;
  }

  /**
   * So many bytes, fewer only at the end.
   * @param {number} count
   */
  async upTo(count) {
    const bytes = new Uint8Array(count);
    let used = 0;
    for (let piece = await this.some(count); piece.length > 0; piece = await this.some(count - used)) {
      bytes.set(piece, used);
      used += piece.length;
      if (used === count) break;
    }
    return bytes.subarray(0, used);
  }

  /**
   * Gives bytes back, to be read again.
   * @param {Uint8Array} bytes
   */
  unread(bytes) {
    const held = new Uint8Array(bytes.length + this.#held.length);
    held.set(bytes);
    held.set(this.#held, bytes.length);
    this.#held = held;
    this.taken -= bytes.length;
  }

  async cancel() {
    await this.#source.cancel().catch(() => {});
  }
}
