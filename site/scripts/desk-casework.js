// What desks say in a case, keys/FORMAT.md section 8: the `case` of a note as strictly as keys/casework.py
// reads it.

import { bytesToHex, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export const STATES = /** @type {const} */ (["new", "checking", "investigating", "published", "aside"]);
/** What every checklist has. */
export const ITEMS = /** @type {const} */ (["documents", "second-source", "heard"]);
export const ANSWERS = /** @type {const} */ (["yes", "no", "unknown"]);
/** The longest text and label, in bytes. */
export const LONGEST_TEXT = 4000;
export const LONGEST_LABEL = 60;
export const MOST_AFTER = 32;
/** The most statements in a note, and messages in a `read`. */
export const MOST = 100;

const MOST_NAMES = 64;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const DATE = /^[1-9]\d{3}-\d{2}-\d{2}$/;
const TIME = /^[1-9]\d{3}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\dZ$/;

/** @typedef {(given: unknown) => boolean} Check */

/**
 * @typedef {object} Statement one thing that was said; what its kind has beside these keys follows them
 * @property {string} id 16 hex digits
 * @property {string} time YYYY-MM-DDTHH:MMZ
 * @property {string} says
 * @property {any} [text]
 * @property {any} [state]
 * @property {any} [to]
 * @property {any} [from]
 * @property {any} [task]
 * @property {any} [done]
 * @property {any} [item]
 * @property {any} [is]
 * @property {any} [label]
 * @property {any} [set]
 * @property {any} [date]
 * @property {any} [partner]
 * @property {any} [until]
 * @property {any} [messages]
 */

/** @typedef {{after: string[], says: Statement[]}} Said what one note says, and which notes its author had */

/** @type {Readonly<Record<string, Readonly<Record<string, Check>>>>} */
const KINDS = {
  state: { state: among(STATES), text: text(0) },
  note: { text: text(1) },
  task: { text: text(1), to: isNameOrNone },
  assign: { task: hex(8), to: isNameOrNone },
  done: { task: hex(8), done: isFlag },
  check: { item: isName, is: among(ANSWERS) },
  label: { label: isLabel, set: isFlag },
  date: { date: isDateOrNone },
  accept: { date: isDate },
  object: { date: isDate, text: text(1) },
  exclusive: { partner: isNameOrNone, until: isDateOrNone },
  handover: { from: isName, to: isName },
  widen: { to: listOf(isName, 1, MOST_NAMES) },
  read: { messages: listOf(hex(16), 1, MOST) },
};

/** This minute, as a statement has it. */
export function now() {
  return `${new Date().toISOString().slice(0, 16)}Z`;
}

/**
 * A new statement. Refuses (RangeError) one that no reader would take.
 * @param {string} time
 * @param {string} says
 * @param {Readonly<Record<string, unknown>>} more
 * @returns {Statement}
 */
export function statement(time, says, more) {
  const made = { id: bytesToHex(randomBytes(8)), time, says, ...more };
  if (!isStatement(made)) throw new RangeError(`no reader takes this ${says}`);
  return made;
}

/**
 * Whether it is what a note says in a case.
 * @param {unknown} given
 * @returns {given is Said}
 */
export function isCase(given) {
  if (!isTable(given) || !hasKeys(given, ["after", "says"])) return false;
  const { after, says } = given;
  return (
    listOf(hex(16), 0, MOST_AFTER)(after) &&
    isAscending(/** @type {string[]} */ (after)) &&
    Array.isArray(says) &&
    says.length >= 1 &&
    says.length <= MOST &&
    says.every(isStatement)
  );
}

/**
 * @param {unknown} given
 * @returns {given is Statement}
 */
export function isStatement(given) {
  if (!isTable(given)) return false;
  const { id, time, says } = given;
  if (typeof says !== "string" || !Object.hasOwn(KINDS, says)) return false;
  const kind = KINDS[says];
  const keys = ["id", "time", "says", ...Object.keys(kind)];
  if (!hasKeys(given, keys) || !hex(8)(id) || !isTime(time)) return false;
  if (!Object.entries(kind).every(([key, check]) => check(given[key]))) return false;
  if (says === "state" && given.state === "aside" && given.text === "") return false;
  return says !== "exclusive" || (given.partner === "") === (given.until === "");
}

/**
 * Whether it is a date as a statement has it.
 * @param {unknown} given
 */
export function isDate(given) {
  return typeof given === "string" && DATE.test(given) && isReal(given);
}

/**
 * Whether it can be somebody's short name, or an item's.
 * @param {unknown} given
 */
export function isName(given) {
  return typeof given === "string" && NAME.test(given);
}

/**
 * Whether it can be a text of a statement.
 * @param {unknown} given
 */
export function isText(given) {
  return text(0)(given);
}

/**
 * Whether it can be a label.
 * @param {unknown} given
 */
export function isLabel(given) {
  const line = typeof given === "string" && text(1)(given) && !/\n|^ | $/.test(given);
  return line && utf8ToBytes(given).length <= LONGEST_LABEL;
}

/**
 * @param {unknown} given
 * @returns {given is Record<string, unknown>}
 */
export function isTable(given) {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/**
 * Whether it has exactly these keys.
 * @param {Readonly<Record<string, unknown>>} given
 * @param {readonly string[]} keys
 */
export function hasKeys(given, keys) {
  return Object.keys(given).length === keys.length && keys.every((key) => Object.hasOwn(given, key));
}

/** @param {readonly string[]} ids */
function isAscending(ids) {
  return ids.every((id, at) => at === 0 || ids[at - 1] < id);
}

/** @param {readonly string[]} words @returns {Check} */
function among(words) {
  return (given) => typeof given === "string" && words.includes(given);
}

/** @param {number} least characters @returns {Check} */
function text(least) {
  return (given) =>
    typeof given === "string" &&
    given.length >= least &&
    given.length <= LONGEST_TEXT &&
    utf8ToBytes(given).length <= LONGEST_TEXT &&
    !/(?!\n)[\p{Cc}\p{Cs}]/u.test(given);
}

/** @param {number} size in bytes @returns {Check} */
function hex(size) {
  return (given) => typeof given === "string" && given.length === 2 * size && /^[0-9a-f]*$/.test(given);
}

/**
 * A list in which nothing stands twice.
 * @param {Check} check
 * @param {number} least
 * @param {number} most
 * @returns {Check}
 */
function listOf(check, least, most) {
  return (given) =>
    Array.isArray(given) &&
    given.length >= least &&
    given.length <= most &&
    given.every(check) &&
    new Set(given).size === given.length;
}

/** @type {Check} */
function isNameOrNone(given) {
  return given === "" || isName(given);
}

/** @type {Check} */
function isDateOrNone(given) {
  return given === "" || isDate(given);
}

/** @type {Check} */
function isFlag(given) {
  return typeof given === "boolean";
}

/** @type {Check} */
function isTime(given) {
  return typeof given === "string" && TIME.test(given) && isReal(given.slice(0, 10));
}

/**
 * Whether a day is in the calendar: a Date takes the 30th of February for a day in March.
 * @param {string} day
 */
function isReal(day) {
  const read = new Date(`${day}T00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().slice(0, 10) === day;
}
