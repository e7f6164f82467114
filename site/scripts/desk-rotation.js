// A new identity in the place of another, keys/FORMAT.md sections 1 and 9, as `desk rotate` makes it.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { bech32 } from "@scure/base";
import { generateHybridIdentity } from "age-encryption";
import { MOST_FORMER, journalistOf } from "./desk-identity.js";

/** How many characters a passphrase of a new file has at least, as with the command. */
export const SHORTEST = 16;

/**
 * A file's identities with a new one before them. Throws where no more fit in a file.
 * @param {readonly string[]} identities the newest first
 */
export async function rotated(identities) {
  if (identities.length > MOST_FORMER) throw new Error("the file is full");
  return [await generateHybridIdentity(), ...identities];
}

/**
 * What is locked in an identity file.
 * @param {string} name
 * @param {readonly string[]} identities the newest first
 */
export function fileText(name, identities) {
  return [`# name: ${name}`, ...identities, ""].join("\n");
}

/**
 * The `.pub` file of the newest identity, signed by the one before it, and the number that is compared by
 * voice.
 * @param {string} name
 * @param {readonly string[]} identities the newest first, two at least
 */
export async function publicFile(name, [newest, former]) {
  const [one, before] = await Promise.all([newest, former].map(journalistOf));
  // The library's own limit of 90 characters would refuse it.
  const key = bech32.fromWords(bech32.decode(/** @type {`age1${string}`} */ (one.recipient), false).words);
  const length = Uint8Array.of(name.length);
  const signed = [utf8ToBytes("knothole/v1/rotate"), length, utf8ToBytes(name), one.signer, key];
  const signature = ed25519.sign(concatBytes(...signed), before.seed);
  for (const { seed } of [one, before]) seed.fill(0);
  const text = [
    `# name: ${name}`,
    `# signer: ${bytesToHex(one.signer)}`,
    `# former: ${bytesToHex(before.signer)} ${bytesToHex(signature)}`,
    one.recipient,
    "",
  ].join("\n");
  const digits = bytesToHex(sha256(concatBytes(key, one.signer)).subarray(0, 16));
  return { text, number: digits.match(/..../g)?.join(" ") ?? "" };
}
