// Notes, keys/FORMAT.md sections 2 and 5: drops that a desk makes, signed, and covers that nobody can open.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { Encrypter } from "age-encryption";
import { breathe } from "./breathe.js";
import { signedPart } from "./desk-drop.js";
import { throwaway } from "./drop.js";
import { padded } from "./padding.js";
import { CLOSING, fill, header } from "./tar.js";

/** The smallest plaintext, in bytes: what every short note has. */
const SMALLEST = padded(CLOSING);

/**
 * A sealed note for those of the page's recipients whom its letter names.
 * @param {import("./desk-letter.js").Letter} letter
 * @param {string} text
 * @param {readonly {name: string, recipient: string}[]} recipients all of the page's, in its order
 * @param {Uint8Array} seed the author's signing seed
 */
export async function sealNote(letter, text, recipients, seed) {
  const signed = concatBytes(member("drop.json", JSON.stringify(letter)), member("message.txt", text));
  const signature = ed25519.sign(signedPart(sha256(signed)), seed);
  const tar = concatBytes(signed, header("drop.sig", signature.length), signature);
  const plain = new Uint8Array(padded(tar.length + CLOSING));
  plain.set(tar);
  return seal(plain, recipients.map(({ name, recipient }) => (letter.to.includes(name) ? recipient : null)));
}

/**
 * A note of the smallest size that nobody can open.
 * @param {number} stanzas how many recipients the page lists
 */
export function sealCover(stanzas) {
  return seal(new Uint8Array(SMALLEST), Array(stanzas).fill(null));
}

/**
 * @param {Uint8Array} plain
 * @param {readonly (string | null)[]} to null for a key that is forgotten
 */
async function seal(plain, to) {
  const age = new Encrypter();
  for (const recipient of to) {
    await breathe();
    age.addRecipient(recipient ?? (await throwaway()));
  }
  return age.encrypt(plain);
}

/**
 * @param {string} name
 * @param {string} content
 */
function member(name, content) {
  const bytes = utf8ToBytes(content);
  return concatBytes(header(name, bytes.length), bytes, new Uint8Array(fill(bytes.length)));
}
