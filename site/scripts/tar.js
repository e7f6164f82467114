// POSIX ustar as keys/FORMAT.md section 2 narrows it: a member's name and size give its header byte for byte.

import { utf8ToBytes } from "@noble/hashes/utils.js";

const BLOCK = 512;

/** The largest member, in bytes: eleven octal digits. */
export const LARGEST = 8 ** 11 - 1;

/** The two zero blocks that end a tar. */
export const CLOSING = 2 * BLOCK;

/**
 * How many zero bytes follow a member's content.
 * @param {number} size
 */
export function fill(size) {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 * What a member takes in the tar, in bytes: header, content and the zeros after it.
 * @param {number} size
 */
export function memberSize(size) {
  return BLOCK + size + fill(size);
}

/**
 * The 512 bytes before a member's content. Refuses a name over 100 bytes and a size over eleven octal digits.
 * @param {string} name
 * @param {number} size
 */
export function header(name, size) {
  const encoded = utf8ToBytes(name);
  if (encoded.length > 100) throw new RangeError("a member's name is over 100 bytes");
  if (size > LARGEST) throw new RangeError("a member is 8 GiB or more");
  const block = new Uint8Array(BLOCK);
  block.set(encoded);
  put(block, 100, octal(0o600, 7));
  put(block, 108, octal(0, 7));
  put(block, 116, octal(0, 7));
  put(block, 124, octal(size, 11));
  put(block, 136, octal(0, 11));
  put(block, 148, "        "); // The checksum counts itself as spaces.
  put(block, 156, "0");
  put(block, 257, "ustar\0" + "00");
  put(block, 329, octal(0, 7));
  put(block, 337, octal(0, 7));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(block, 148, octal(sum, 6) + " ");
  return block;
}

/**
 * @param {Uint8Array} block
 * @param {number} at
 * @param {string} ascii
 */
function put(block, at, ascii) {
  block.set(utf8ToBytes(ascii), at);
}

/**
 * @param {number} value
 * @param {number} digits
 */
function octal(value, digits) {
  return value.toString(8).padStart(digits, "0") + "\0";
}
