// Notes, keys/FORMAT.md sections 2 and 5: drops that a desk makes, signed, and covers that nobody can open.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { signedPart } from "./desk-drop.js";
import { inChunks, sealWhole } from "./drop.js";
import { padded } from "./padding.js";
import { CLOSING, fill, header, memberSize } from "./tar.js";

/** The smallest plaintext, in bytes: what every short note has. */
export const SMALLEST = padded(CLOSING);
const SIGNATURE = 64;

/**
 * The id of a note, keys/FORMAT.md section 8.
 * @param {Uint8Array} digest what its signature covers
 */
export function noteId(digest) {
  return bytesToHex(digest.subarray(0, 16));
}

/**
 * Whether a note has the size of every sync's.
 * @param {import("./desk-letter.js").Letter} letter
 * @param {string} text
 */
export function isSmallest(letter, text) {
  const sizes = [utf8ToBytes(JSON.stringify(letter)).length, utf8ToBytes(text).length, SIGNATURE];
  return sizes.reduce((total, size) => total + memberSize(size), CLOSING) <= SMALLEST;
}

/**
 * A sealed note for those of the page's recipients whom its letter names, and the note's id.
 * @param {import("./desk-letter.js").Letter} letter
 * @param {string} text
 * @param {readonly {name: string, recipient: string}[]} recipients all of the page's, in its order
 * @param {Uint8Array} seed the author's signing seed
 */
export async function sealNote(letter, text, recipients, seed) {
  const signed = concatBytes(member("drop.json", JSON.stringify(letter)), member("message.txt", text));
  const digest = sha256(signed);
  const signature = ed25519.sign(signedPart(digest), seed);
  const tar = concatBytes(signed, header("drop.sig", signature.length), signature);
  const plain = new Uint8Array(padded(tar.length + CLOSING));
  plain.set(tar);
  return { sealed: await sealWhole(inChunks(plain), letter.to, recipients), id: noteId(digest) };
}

/**
 * A note of the smallest size that nobody can open.
 * @param {number} stanzas how many recipients the page lists
 */
export function sealCover(stanzas) {
  const nobody = { name: "", recipient: "" };
  return sealWhole(inChunks(new Uint8Array(SMALLEST)), [], Array(stanzas).fill(nobody));
}

/**
 * A text as a member of a tar.
 * @param {string} name
 * @param {string} content
 */
export function member(name, content) {
  const bytes = utf8ToBytes(content);
  return concatBytes(header(name, bytes.length), bytes, new Uint8Array(fill(bytes.length)));
}
