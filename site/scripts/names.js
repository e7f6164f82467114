// File names inside a drop, keys/FORMAT.md section 2.

import { utf8ToBytes } from "@noble/hashes/utils.js";

const LONGEST = 94;
// C holds the unassigned too: a name may carry them, but one that is repaired loses them.
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}/\\:*?"<>|]/u;
const REPLACED = /[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|]/gu;
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)/i;

/**
 * Whether a drop may hold this name.
 * @param {string} name
 */
export function isName(name) {
  const size = utf8ToBytes(name).length;
  return (
    size >= 1 &&
    size <= LONGEST &&
    name === name.normalize("NFC") &&
    !FORBIDDEN.test(name) &&
    !/^[.\- ]|[. ]$/.test(name) &&
    !DEVICE.test(name)
  );
}

/**
 * Names a drop may hold, one for each of the source's, in the same order and no two alike; a name that may
 * stand stays as it is.
 * @param {readonly string[]} originals
 */
export function namesFor(originals) {
  /** @type {Map<string, number>} how many asked for a name like this */
  const taken = new Map();
  return originals.map((original) => {
    const wanted = repaired(original);
    let name = wanted;
    let count = taken.get(likeness(wanted)) ?? 0;
    while (taken.has(likeness(name))) name = shortened(wanted, `-${++count}`);
    taken.set(likeness(wanted), Math.max(count, 1));
    if (name !== wanted) taken.set(likeness(name), 1);
    return name;
  });
}

/** @param {string} original */
function repaired(original) {
  if (isName(original)) return original;
  const clean = original
    .normalize("NFC")
    .replace(REPLACED, "_")
    .replace(/^[.\- ]+/, "")
    .replace(/[. ]+$/, "")
    .replace(DEVICE, "_$&");
  return shortened(clean || "file", "");
}

/**
 * The name with a suffix before its extension, cut so that both fit.
 * @param {string} name
 * @param {string} suffix
 */
function shortened(name, suffix) {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && utf8ToBytes(name.slice(dot)).length <= 16 ? name.slice(dot) : "";
  const room = LONGEST - utf8ToBytes(suffix + extension).length;
  const stem = [...name.slice(0, name.length - extension.length)];
  while (utf8ToBytes(stem.join("")).length > room) stem.pop();
  return (stem.join("") + suffix + extension).replace(/[. ]+$/, "");
}

/**
 * The same for names that a file system may take for one. By way of upper case, which unfolds what lower case
 * alone keeps apart, such as ß and ss; and first in lower case, since ẞ is upper already.
 * @param {string} name
 */
export function likeness(name) {
  return name.normalize("NFC").toLowerCase().toUpperCase().toLowerCase().normalize("NFC");
}
