// drop.json as a desk reads it, keys/FORMAT.md section 2: exactly these keys, or nothing counts.

import { hasKeys, isCase, isTable } from "./desk-casework.js";
import { BadDrop } from "./desk-reader.js";

/** The largest drop.json, in bytes. */
export const LARGEST = 256 * 1024;

const KEYS = ["version", "kind", "newsroom", "message", "thread", "language", "to", "answers", "read"];
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const NEWSROOM = /^[a-z0-9][a-z0-9-]{0,62}$/;
const LANGUAGE = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/;
const REPLY = /^[0-9a-f]{16}$/;
const MESSAGE = /^[0-9a-f]{32}$/;
const THREAD = /^[0-9a-f]{64}$/;
const EXTRAS = ["reply", "case", "canary"];
const STRINGS = /"(?:[^"\\]|\\.)*"/gu;
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gu;

/**
 * @typedef {object} Letter
 * @property {1} version
 * @property {"drop" | "note"} kind
 * @property {string} newsroom
 * @property {string} message
 * @property {string} thread the thread key, in hex
 * @property {string} language
 * @property {string[]} to
 * @property {Record<string, string>} answers
 * @property {string[]} read
 * @property {string} [author]
 * @property {{id: string, lines: number[]}} [reply]
 * @property {import("./desk-casework.js").Said} [case]
 * @property {true} [canary]
 */

/**
 * The letter that these bytes are. Throws BadDrop for any others.
 * @param {Uint8Array} bytes
 * @returns {Letter}
 */
export function letterFrom(bytes) {
  let given;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!hasDistinctKeys(text) || hasFractions(text)) throw new BadDrop("format");
    given = JSON.parse(text);
  } catch {
    throw new BadDrop("format");
  }
  if (!isLetter(given)) throw new BadDrop("format");
  return given;
}

/**
 * @param {unknown} given
 * @returns {given is Letter}
 */
export function isLetter(given) {
  if (!isTable(given)) return false;
  const { kind, to, answers, read } = given;
  const extras = kind === "note" ? EXTRAS.filter((key) => Object.hasOwn(given, key)) : [];
  const more = kind === "note" ? ["author", ...extras] : [];
  return (
    (kind === "drop" || kind === "note") &&
    hasKeys(given, [...KEYS, ...more]) &&
    given.version === 1 &&
    matches(given.newsroom, NEWSROOM) &&
    matches(given.message, MESSAGE) &&
    matches(given.thread, THREAD) &&
    matches(given.language, LANGUAGE) &&
    isListOf(to, 1000, (name) => matches(name, NAME)) &&
    to.length > 0 &&
    new Set(to).size === to.length &&
    isTable(answers) &&
    Object.entries(answers).every(([id, text]) => NAME.test(id) && isText(text)) &&
    isListOf(read, 10_000, (reply) => matches(reply, REPLY)) &&
    (kind === "drop" || matches(given.author, NAME)) &&
    (!extras.includes("reply") || isRecord(given.reply)) &&
    (!extras.includes("case") || isCase(given.case)) &&
    (!extras.includes("canary") || (given.canary === true && extras.length === 1))
  );
}

/** @param {unknown} given */
function isRecord(given) {
  if (!isTable(given) || !hasKeys(given, ["id", "lines"]) || !matches(given.id, REPLY)) return false;
  const { lines } = given;
  const isNumber = (/** @type {unknown} */ n) => Number.isInteger(n) && Number(n) >= 0 && Number(n) <= 255;
  return isListOf(lines, 4, isNumber) && lines.length > 0 && new Set(lines).size === lines.length;
}

/**
 * Whether no key stands twice in one object of a JSON text: two readers might take another one of them.
 * @param {string} text
 */
function hasDistinctKeys(text) {
  /** @type {Set<string>[]} */
  const open = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const key = JSON.parse(last);
      if (open.at(-1)?.has(key)) return false;
      open.at(-1)?.add(key);
    }
    last = token;
  }
  return true;
}

/**
 * Whether a JSON text has a number with a fraction or an exponent: other readers tell 1.0 from 1.
 * @param {string} text
 */
function hasFractions(text) {
  return /\d[.eE]/.test(text.replace(STRINGS, ""));
}

/**
 * @param {unknown} given
 * @param {RegExp} form
 */
function matches(given, form) {
  return typeof given === "string" && form.test(given);
}

/** @param {unknown} given */
function isText(given) {
  return typeof given === "string" && given.isWellFormed();
}

/**
 * @param {unknown} given
 * @param {number} longest
 * @param {(item: unknown) => boolean} right
 * @returns {given is unknown[]}
 */
function isListOf(given, longest, right) {
  return Array.isArray(given) && given.length <= longest && given.every(right);
}
