// A drop as a desk reads it, keys/FORMAT.md section 2, from end to end: only then was all of it seen.

import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { LARGEST, letterFrom } from "./desk-letter.js";
import { BadDrop, open } from "./desk-reader.js";
import { BLOCK, TarReader } from "./desk-tar.js";
import { FILES_LIMIT, TEXT_LIMIT } from "./drop.js";
import { isName, likeness } from "./names.js";

const SIGNATURE = 64;
const PIECE = 64 * 1024;

/** The name of the one file in what a source sealed by hand: nobody said another. */
export const CONTENT = "content";

/**
 * @typedef {object} Drop
 * @property {import("./desk-letter.js").Letter | null} letter null for a file that was sealed by hand
 * @property {string} text
 * @property {{name: string, size: number}[]} files
 * @property {Blob | null} content of the file that was wanted
 * @property {Uint8Array} digest what the signature is of
 * @property {Uint8Array} signature empty but in a note
 * @property {string} head drop.json as it stands there
 * @property {number} plain the plaintext's size, padding and all
 */

/**
 * What is in a drop. Throws BadDrop, or NotForYou.
 * @param {Blob} sealed
 * @param {{identities: readonly string[], place: number}} reader whose, and where the page lists them
 * @param {string} [wanted] the name of the file whose content is asked for
 * @returns {Promise<Drop>}
 */
export async function read(sealed, { identities, place }, wanted) {
  const plain = await open(sealed, identities, place);
  try {
    const start = await plain.upTo(BLOCK);
    plain.unread(start);
    const begun = start.every((byte) => byte === 0) || begins(start, "drop.json\0");
    if (start.length < BLOCK || !begun) return await readBare(plain, wanted);
    const drop = await readTar(new TarReader(plain), wanted);
    return { ...drop, plain: plain.taken };
  } finally {
    await plain.cancel();
  }
}

/**
 * Whether the owner of an Ed25519 public key signed this note.
 * @param {Drop} drop
 * @param {string} signer hex
 */
export function signedBy({ digest, signature }, signer) {
  return ed25519.verify(signature, signedPart(digest), hexToBytes(signer), { zip215: false });
}

/**
 * What a note's signature is made over.
 * @param {Uint8Array} digest SHA-256 of the tar before the signature's header
 */
export function signedPart(digest) {
  return concatBytes(utf8ToBytes("knothole/v1/note"), digest);
}

/**
 * @param {TarReader} tar
 * @param {string} [wanted]
 * @returns {Promise<Drop>}
 */
async function readTar(tar, wanted) {
  const head = await member(tar, "drop.json", LARGEST);
  const letter = letterFrom(head);
  if (letter.kind === "drop") tar.trust();
  const text = decoded(await member(tar, "message.txt", TEXT_LIMIT));
  /** @type {Drop} */
  const drop = {
    letter,
    text,
    files: [],
    content: null,
    digest: tar.before,
    signature: new Uint8Array(),
    head: decoded(head),
    plain: 0,
  };
  const seen = new Set();
  for (let next = await tar.next(); next; next = await tar.next()) {
    const { name: path, size } = next;
    if (drop.signature.length > 0) throw new BadDrop("format");
    if (path === "drop.sig" && letter.kind === "note" && size === SIGNATURE) {
      drop.digest = tar.before;
      drop.signature = await tar.all(SIGNATURE);
      continue;
    }
    const name = path.replace(/^files\//, "");
    if (name === path || !isName(name) || seen.has(likeness(name)) || seen.size === FILES_LIMIT) {
      throw new BadDrop("format");
    }
    seen.add(likeness(name));
    drop.files.push({ name, size });
    if (name === wanted) drop.content = await whole((most) => tar.read(most));
  }
  if (letter.kind === "note" && drop.signature.length === 0) throw new BadDrop("format");
  return drop;
}

/**
 * An age file that holds no drop: one file, sealed by hand.
 * @param {import("./desk-reader.js").Reader} plain
 * @param {string} [wanted]
 * @returns {Promise<Drop>}
 */
async function readBare(plain, wanted) {
  let size = 0;
  const count = async () => {
    const piece = await plain.some(PIECE);
    size += piece.length;
    return piece;
  };
  let content = null;
  if (wanted === CONTENT) content = await whole(count);
  else while ((await count()).length > 0);
  const files = [{ name: CONTENT, size }];
  const none = new Uint8Array();
  return { letter: null, text: "", files, content, digest: none, signature: none, head: "", plain: size };
}

/**
 * @param {TarReader} tar
 * @param {string} name
 * @param {number} limit
 */
async function member(tar, name, limit) {
  const next = await tar.next();
  if (next?.name !== name) throw new BadDrop("format");
  return tar.all(limit);
}

/** @param {(most: number) => Promise<Uint8Array>} some */
async function whole(some) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  for (let piece = await some(PIECE); piece.length > 0; piece = await some(PIECE)) {
    pieces.push(Uint8Array.from(piece));
  }
  return new Blob(pieces);
}

/** @param {Uint8Array} bytes */
function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BadDrop("format");
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {string} ascii
 */
function begins(bytes, ascii) {
  return utf8ToBytes(ascii).every((byte, at) => bytes[at] === byte);
}
