// A file of the source's, read twice. Firefox says nothing when a file changes: its size and date stay those
// of the moment when it was chosen, and a slice has whatever the disk has by now, or less. So its content is
// the witness: what is sent is what was read before, slice by slice, or nothing is sent.

import { bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { breathe } from "./breathe.js";

/** The most of a file that is read at once, in bytes. */
export const SLICE = 1024 * 1024;

/** A file changed after it was chosen, or went. */
export class FileChanged extends Error {
  /** @param {string} file the name the source knows it by */
  constructor(file) {
    super("a file changed after it was chosen");
    this.file = file;
  }
}

/**
 * The SHA-256 of each of a file's slices as they are now, in hex. Throws what reading throws, and the
 * signal's reason.
 * @param {File} file
 * @param {AbortSignal} [signal]
 */
export async function sumsOf(file, signal) {
  /** @type {string[]} */
  const sums = [];
  for (let at = 0; at < file.size; at += SLICE) {
    signal?.throwIfAborted();
    sums.push(await sumOf(await read(file, at)));
  }
  return sums;
}

/**
 * A file's bytes, slice by slice, if they are those that the sums were taken of. All the sums were taken
 * before the first slice is read again, so together the slices are the file as it was at one moment in
 * between. Throws FileChanged.
 * @param {File} file
 * @param {Promise<readonly string[]>} sums
 */
export async function* contents(file, sums) {
  try {
    const expected = await sums;
    for (let at = 0, n = 0; at < file.size; at += SLICE, n++) {
      const slice = await read(file, at);
      // Two short reads are alike, and the tar's header has promised more.
      if (slice.length !== Math.min(SLICE, file.size - at)) throw new FileChanged(file.name);
      if ((await sumOf(slice)) !== expected[n]) throw new FileChanged(file.name);
      yield slice;
    }
  } catch {
    throw new FileChanged(file.name);
  }
}

/**
 * @param {File} file
 * @param {number} at
 */
async function read(file, at) {
  return new Uint8Array(await file.slice(at, Math.min(at + SLICE, file.size)).arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sumOf(bytes) {
  // Native, and off the page's thread; but a browser has it only for pages whose address it trusts.
  if (crypto.subtle) return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  await breathe();
  return bytesToHex(sha256(bytes));
}
