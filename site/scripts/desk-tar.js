// Reading a drop's tar, keys/FORMAT.md section 2. A header is read by writing it again: only the one way to
// write it is read.

import { sha256 } from "@noble/hashes/sha2.js";
import { BadDrop } from "./desk-reader.js";
import { fill, header } from "./tar.js";

/** The bytes of a header. */
export const BLOCK = 512;
const PIECE = 64 * 1024;

/** A tar's members in turn. Every method throws BadDrop where it is no such tar. */
export class TarReader {
  #source;
  #left = 0;
  #fill = 0;
  /** @type {ReturnType<typeof sha256.create> | null} */
  #hash = sha256.create();
  /** @type {Uint8Array} SHA-256 of every byte before the last member's header */
  before = new Uint8Array();

  /** @param {import("./desk-reader.js").Reader} source */
  constructor(source) {
    this.#source = source;
  }

  /** Ends the hashing behind `before`, which only a signed tar needs. */
  trust() {
    this.#hash = null;
  }

  /** The next member, what was left of the last one skipped; null at the end, once only zeros followed. */
  async next() {
    while (this.#left > 0) await this.read(PIECE);
    if (!isZero(await this.#exactly(this.#fill))) throw new BadDrop("format");
    if (this.#hash) this.before = this.#hash.clone().digest();
    const block = await this.#exactly(BLOCK);
    if (isZero(block)) {
      await this.#end();
      return null;
    }
    const member = parse(block);
    this.#left = member.size;
    this.#fill = fill(member.size);
    return member;
  }

  /**
   * Some of the member's bytes; none only at its end.
   * @param {number} most
   */
  async read(most) {
    if (this.#left === 0) return new Uint8Array();
    const piece = await this.#source.some(Math.min(most, this.#left));
    if (piece.length === 0) throw new BadDrop("format");
    this.#hash?.update(piece);
    this.#left -= piece.length;
    return piece;
  }

  /**
   * The rest of the member, which may have at most so many bytes.
   * @param {number} limit
   */
  async all(limit) {
    if (this.#left > limit) throw new BadDrop("format");
    const bytes = await this.#source.upTo(this.#left);
    if (bytes.length < this.#left) throw new BadDrop("format");
    this.#hash?.update(bytes);
    this.#left = 0;
    return bytes;
  }

  /** @param {number} count */
  async #exactly(count) {
    const bytes = await this.#source.upTo(count);
    if (bytes.length < count) throw new BadDrop("format");
    this.#hash?.update(bytes);
    return bytes;
  }

  async #end() {
    /** @type {Uint8Array} */
    let rest = await this.#exactly(BLOCK);
    while (rest.length > 0) {
      if (!isZero(rest)) throw new BadDrop("format");
      rest = await this.#source.some(PIECE);
    }
  }
}

/** @param {Uint8Array} block */
function parse(block) {
  try {
    const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(block.subarray(0, 100))
      .replace(/\0+$/, "");
    const digits = String.fromCharCode(...block.subarray(124, 135));
    const size = /^[0-7]{11}$/.test(digits) ? parseInt(digits, 8) : NaN;
    const again = header(name, size);
    if (again.every((byte, at) => byte === block[at])) return { name, size };
  } catch {
    // What cannot be written was not written.
  }
  throw new BadDrop("format");
}

/** @param {Uint8Array} bytes */
function isZero(bytes) {
  let all = 0; // A call for each byte would take as long as opening them did.
  for (let at = 0; at < bytes.length; at++) all |= bytes[at];
  return all === 0;
}
