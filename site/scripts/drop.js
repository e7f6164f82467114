// What a source sends, keys/FORMAT.md section 2: a tar, padded with zeros, in an age file.

import { bytesToHex, concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import { breathe } from "./breathe.js";
import { contents } from "./file.js";
import { padded } from "./padding.js";
import { CLOSING, LARGEST, fill, header, memberSize } from "./tar.js";

/** A part's size in bytes. */
export const PART = 1024 * 1024;
/** The largest drop.json and message.txt, in bytes. */
export const TEXT_LIMIT = 256 * 1024;
/** The most files in a drop, and the largest in bytes. */
export const FILES_LIMIT = 1000;
export const FILE_LIMIT = LARGEST;

const CHUNK = 64 * 1024;
const TAG = 16;
// A stanza's line has 1,120 bytes in base64, its body 32; the header's other lines are the version and the
// MAC.
const STANZA = "-> mlkem768x25519 ".length + 1494 + 1 + 43 + 1;
const HEADER = "age-encryption.org/v1\n".length + "--- ".length + 43 + 1;
const NONCE = 16;

/**
 * @typedef {object} Draft
 * @property {string} newsroom the newsroom id
 * @property {string} language
 * @property {Uint8Array} thread the thread key
 * @property {readonly string[]} to names of the chosen recipients, in the page's order
 * @property {Readonly<Record<string, string>>} answers
 * @property {readonly string[]} read ids of the replies that were read
 * @property {string} text
 * @property {readonly Attachment[]} files
 */

/**
 * @typedef {object} Attachment
 * @property {string} name one that a drop may hold
 * @property {File} file
 * @property {Promise<readonly string[]>} sums of its slices, taken when the file was chosen
 */

/**
 * How many bytes the texts and the whole will have; the whole is the age file's exact size.
 * @param {Draft} draft
 * @param {number} stanzas how many recipients the page lists
 */
export function measure(draft, stanzas) {
  const described = utf8ToBytes(describe(draft, "0".repeat(32))).length;
  const message = utf8ToBytes(draft.text).length;
  const sizes = [described, message, ...draft.files.map(({ file }) => file.size)];
  const plain = padded(sizes.reduce((total, size) => total + memberSize(size), CLOSING));
  return { described, message, plain, size: sealedSize(plain, stanzas) };
}

/**
 * The exact size of an age file, in bytes.
 * @param {number} plain the size of what it holds
 * @param {number} stanzas
 */
export function sealedSize(plain, stanzas) {
  return HEADER + stanzas * STANZA + NONCE + plain + TAG * Math.ceil(plain / CHUNK);
}

/**
 * The sealed drop's parts, in order, each made when it is asked for: 1 MiB, the last one shorter. Throws
 * FileChanged.
 * @param {Draft} draft
 * @param {readonly {name: string, recipient: string}[]} recipients all of the page's, in its order
 */
export async function* seal(draft, recipients) {
  const { plain } = measure(draft, recipients.length);
  yield* sealTo(plaintext(draft, plain), draft.to, recipients);
}

/**
 * The parts of what is sealed to some of the page's recipients, as `seal` gives them; the others' stanzas are
 * for keys that are forgotten.
 * @param {AsyncGenerator<Uint8Array>} content
 * @param {readonly string[]} to names
 * @param {readonly {name: string, recipient: string}[]} recipients all of the page's, in its order
 */
export async function* sealTo(content, to, recipients) {
  const age = new Encrypter();
  for (const { name, recipient } of recipients) {
    await breathe();
    age.addRecipient(to.includes(name) ? recipient : await throwaway());
  }
  yield* inParts(await age.encrypt(pulled(content)));
}

/**
 * The same in one piece, for what is small enough.
 * @param {AsyncGenerator<Uint8Array>} content
 * @param {readonly string[]} to names
 * @param {readonly {name: string, recipient: string}[]} recipients all of the page's, in its order
 */
export async function sealWhole(content, to, recipients) {
  const parts = [];
  for await (const part of sealTo(content, to, recipients)) parts.push(part);
  return concatBytes(...parts);
}

/** A recipient whose identity is forgotten here. */
async function throwaway() {
  return identityToRecipient(await generateHybridIdentity());
}

/**
 * drop.json.
 * @param {Draft} draft
 * @param {string} message 32 hex digits
 */
function describe(draft, message) {
  const { newsroom, thread, language, to, answers, read } = draft;
  return JSON.stringify({
    version: 1,
    kind: "drop",
    newsroom,
    message,
    thread: bytesToHex(thread),
    language,
    to,
    answers,
    read,
  });
}

/**
 * @param {Draft} draft
 * @param {number} size padded
 */
async function* plaintext(draft, size) {
  let left = size;
  for await (const piece of tar(draft)) {
    yield* inChunks(piece);
    left -= piece.length;
  }
  for (; left > 0; left -= CHUNK) {
    await breathe();
    yield new Uint8Array(Math.min(left, CHUNK));
  }
}

/**
 * Bytes in the cipher's own chunks: a MiB at once would hold the page up for half a second without a JIT.
 * @param {Uint8Array} bytes
 */
export async function* inChunks(bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    await breathe();
    yield bytes.subarray(at, at + CHUNK);
  }
}

/**
 * The tar without its closing blocks: the padding's zeros begin with them.
 * @param {Draft} draft
 */
async function* tar(draft) {
  yield* text("drop.json", describe(draft, bytesToHex(randomBytes(16))));
  yield* text("message.txt", draft.text);
  for (const { name, file, sums } of draft.files) {
    yield header(`files/${name}`, file.size);
    yield* contents(file, sums);
    yield new Uint8Array(fill(file.size));
  }
}

/**
 * @param {string} name
 * @param {string} content
 */
function* text(name, content) {
  const bytes = utf8ToBytes(content);
  yield header(name, bytes.length);
  yield bytes;
  yield new Uint8Array(fill(bytes.length));
}

/**
 * A stream that takes nothing from its source before it is asked.
 * @param {AsyncGenerator<Uint8Array>} source
 * @returns {ReadableStream<Uint8Array>}
 */
export function pulled(source) {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await source.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** @param {ReadableStream<Uint8Array>} stream */
async function* inParts(stream) {
  const reader = stream.getReader();
  try {
    let part = new Uint8Array(PART);
    let used = 0;
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      for (let rest = value ?? new Uint8Array(); rest.length > 0; ) {
        const taken = rest.subarray(0, PART - used);
        part.set(taken, used);
        used += taken.length;
        rest = rest.subarray(taken.length);
        if (used < PART) continue;
        yield part;
        part = new Uint8Array(PART);
        used = 0;
      }
    }
    if (used > 0) yield part.slice(0, used);
  } finally {
    await reader.cancel();
  }
}
