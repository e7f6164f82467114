// The source's twelve words, keys/FORMAT.md section 3.

import { randomBytes } from "@noble/hashes/utils.js";
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "#wordlist";

/** How many words a codename has. */
export const COUNT = 12;

/** These are not the twelve words of a codename. */
export class BadCodename extends Error {
  /**
   * @param {"count" | "word" | "checksum"} reason
   * @param {string} word the first that is not in the list, as it was typed
   * @param {number} count how many words there are
   */
  constructor(reason, word, count) {
    super(`not a codename: ${reason}`); // Never the words: a console may keep messages.
    this.reason = reason;
    this.word = word;
    this.count = count;
  }
}

/** A new codename's 16 random bytes. */
export function newEntropy() {
  return randomBytes(16);
}

/**
 * The twelve words that stand for 16 bytes.
 * @param {Uint8Array} entropy
 */
export function wordsFor(entropy, list = wordlist) {
  return split(entropyToMnemonic(entropy, list)).map((word) => word.normalize("NFC"));
}

/**
 * The 16 bytes that twelve typed words stand for. Refuses a word that is not in the list, another count, and
 * words whose checksum does not match, in this order.
 * @param {string} typed
 */
export function entropyFrom(typed, list = wordlist) {
  const words = split(typed);
  const known = new Map(list.map((word) => [folded(word), word]));
  const stranger = words.find((word) => !known.has(folded(word)));
  if (stranger !== undefined) throw new BadCodename("word", stranger, words.length);
  if (words.length !== COUNT) throw new BadCodename("count", "", words.length);
  try {
    return mnemonicToEntropy(words.map((word) => known.get(folded(word))).join(" "), list);
  } catch {
    throw new BadCodename("checksum", "", COUNT);
  }
}

/**
 * The place, from 1, of the first word typed back that is not the word shown; 0 when all are. Refuses another
 * count and a word that is not in the list.
 * @param {readonly string[]} shown
 * @param {string} typed
 */
export function firstDifference(shown, typed, list = wordlist) {
  try {
    entropyFrom(typed, list);
  } catch (error) {
    // A word of the list in the wrong place is told by its place, which says more than the checksum does.
    if (!(error instanceof BadCodename) || error.reason !== "checksum") throw error;
  }
  return split(typed).findIndex((word, at) => folded(word) !== folded(shown[at] ?? "")) + 1;
}

/** @param {string} text */
function split(text) {
  return text.split(/\s+/u).filter(Boolean);
}

/** @param {string} word */
function folded(word) {
  return word.toLowerCase().normalize("NFKD");
}
