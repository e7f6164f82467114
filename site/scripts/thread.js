// What a codename's 16 bytes derive, keys/FORMAT.md sections 3 and 4.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * The thread key, 32 bytes: the source and the recipients of its drops hold it, nobody else.
 * @param {Uint8Array} entropy the codename's 16 bytes
 * @param {string} newsroom the newsroom id
 */
export function threadKey(entropy, newsroom) {
  return hkdf(sha256, entropy, utf8ToBytes(newsroom), utf8ToBytes("knothole/v1/thread"), 32);
}

/**
 * The thread id, 16 hex digits: what a desk files the thread by.
 * @param {Uint8Array} key the thread key
 */
export function threadId(key) {
  return bytesToHex(hkdf(sha256, key, undefined, utf8ToBytes("knothole/v1/thread-id"), 8));
}

/**
 * The key that labels the thread's lines.
 * @param {Uint8Array} key the thread key
 */
export function labelKey(key) {
  return hkdf(sha256, key, undefined, utf8ToBytes("knothole/v1/label"), 32);
}

/**
 * The key that seals a journalist's line number n in the thread.
 * @param {Uint8Array} key the thread key
 * @param {Uint8Array} signer the journalist's Ed25519 public key
 * @param {number} n 0 to 255
 */
export function lineKey(key, signer, n) {
  const info = concatBytes(utf8ToBytes("knothole/v1/line"), signer, Uint8Array.of(n));
  return hkdf(sha256, key, undefined, info, 32);
}
