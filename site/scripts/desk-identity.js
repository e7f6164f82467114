// A journalist's identity, keys/FORMAT.md section 1: a file that is locked with a passphrase as age does it.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { base64nopad, bech32 } from "@scure/base";
import { Decrypter, Encrypter, Stanza, identityToRecipient } from "age-encryption";
import { scrypt } from "./desk-scrypt.js";

/** The longest such file, in bytes. */
export const LONGEST = 64 * 1024;
// 20 takes a GiB of memory; the command line makes files of 18.
const MOST_WORK = 20;
const WORK = 18;
/** Identities in a file beside the journalist's own. */
export const MOST_FORMER = 7;

/** This file holds no identity, or this passphrase does not unlock it. */
export class BadIdentity extends Error {
  /** @param {"file" | "passphrase"} reason */
  constructor(reason) {
    super(`no identity: ${reason}`);
    this.reason = reason;
  }
}

/**
 * @typedef {object} Journalist
 * @property {readonly string[]} identities AGE-SECRET-KEY-PQ-1…, all that open, their own first
 * @property {readonly Uint8Array[]} signers the Ed25519 public keys of all of them
 * @property {readonly string[]} inFile the same as they stand in the file, the newest first
 * @property {string} recipient age1pq1…
 * @property {Uint8Array} signer the Ed25519 public key
 * @property {Uint8Array} seed the signing seed
 */

/**
 * Whose file this is, once for each identity in it, the newest first: keys/FORMAT.md section 9. Throws
 * BadIdentity. Lets the page answer its reader meanwhile.
 * @param {Uint8Array<ArrayBuffer>} locked
 * @param {string} passphrase
 * @param {(share: number) => void} report how much is done, of 1
 * @returns {Promise<Journalist[]>}
 */
export async function unlock(locked, passphrase, report) {
  /** @type {"file" | "passphrase"} */
  let reason = "file";
  const age = new Decrypter();
  age.addIdentity({
    async unwrapFileKey(stanzas) {
      const key = await unwrap(stanzas, passphrase, report);
      if (!key) reason = "passphrase";
      return key;
    },
  });
  try {
    const text = await age.decrypt(locked, "text");
    const keys = text.split("\n").map((line) => line.trim());
    const identities = keys.filter((line) => line !== "" && !line.startsWith("#"));
    const count = new Set(identities).size;
    if (count < 1 || count > 1 + MOST_FORMER || count < identities.length) throw new BadIdentity("file");
    return await Promise.all(identities.map(journalistOf));
  } catch {
    throw new BadIdentity(reason);
  }
}

/**
 * Whose identity this is. Throws for text that is none.
 * @param {string} identity
 * @returns {Promise<Journalist>}
 */
export async function journalistOf(identity) {
  const { prefix, bytes } = bech32.decodeToBytes(identity);
  if (prefix.toUpperCase() !== "AGE-SECRET-KEY-PQ-") throw new BadIdentity("file");
  const seed = hkdf(sha256, bytes, undefined, utf8ToBytes("knothole/v1/sign"), 32);
  const signer = ed25519.getPublicKey(seed);
  const recipient = await identityToRecipient(identity);
  return { identities: [identity], signers: [signer], inFile: [identity], recipient, signer, seed };
}

/**
 * A journalist who acts with one identity of their file and opens with all. The others' seeds are gone then.
 * @param {readonly Journalist[]} all
 * @param {Journalist} one
 * @returns {Journalist}
 */
export function acting(all, one) {
  const others = all.filter((other) => other !== one);
  for (const { seed } of others) seed.fill(0);
  const ordered = [one, ...others];
  return {
    ...one,
    identities: ordered.flatMap(({ identities }) => identities),
    signers: ordered.flatMap(({ signers }) => signers),
    inFile: all.flatMap(({ identities }) => identities),
  };
}

/**
 * A text as a file that only the passphrase unlocks, here, for the command and for the program age.
 * @param {string} text
 * @param {string} passphrase
 * @param {(share: number) => void} report how much is done, of 1
 * @param {number} [work]
 */
export async function lock(text, passphrase, report, work = WORK) {
  const age = new Encrypter();
  age.addRecipient({
    // The library's own would not let the page answer its reader.
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await stretched(passphrase, salt, work, report);
      const body = chacha20poly1305(key, new Uint8Array(12)).encrypt(fileKey);
      return [new Stanza(["scrypt", base64nopad.encode(salt), String(work)], body)];
    },
  });
  return Uint8Array.from(await age.encrypt(text));
}

/**
 * The file key in a scrypt stanza, C2SP age.md; null where the passphrase is another.
 * @param {readonly Stanza[]} stanzas
 * @param {string} passphrase
 * @param {(share: number) => void} report
 */
async function unwrap([stanza, ...others], passphrase, report) {
  const [type, salt, work, ...more] = stanza.args;
  const right = type === "scrypt" && /^[1-9][0-9]?$/.test(work) && Number(work) <= MOST_WORK;
  // The body's length too: a longer one may open with many keys (a partitioning oracle).
  if (!right || more.length > 0 || others.length > 0 || stanza.body.length !== 32) {
    throw new BadIdentity("file");
  }
  const key = await stretched(passphrase, base64nopad.decode(salt), Number(work), report);
  try {
    return chacha20poly1305(key, new Uint8Array(12)).decrypt(stanza.body);
  } catch {
    return null;
  }
}

/**
 * What locks the file key, C2SP age.md.
 * @param {string} passphrase
 * @param {Uint8Array} salt
 * @param {number} work
 * @param {(share: number) => void} report
 */
function stretched(passphrase, salt, work, report) {
  const salted = concatBytes(utf8ToBytes("age-encryption.org/v1/scrypt"), salt);
  return scrypt(utf8ToBytes(passphrase), salted, work, report);
}
