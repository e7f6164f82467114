// What strangers wrote, as a page may show it. Every character that could move, hide or recolour another is
// written as its number, as the command line does it.

const JOINERS = "\u200c\u200d"; // These shape words in Persian and the Indic scripts, and move nothing.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Text of several lines.
 * @param {string} text
 */
export function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, (c) => {
    return c === "\n" || c === "\t" || JOINERS.includes(c) ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`;
  });
}

/**
 * The first line with something in it, cut where it is long.
 * @param {string} text
 * @param {number} longest in characters
 */
export function title(text, longest = 60) {
  const [first] = text.trim().split("\n", 1);
  const line = [...visible(first.trim()).replaceAll("\t", " ")];
  return line.length <= longest ? line.join("") : line.slice(0, longest - 1).join("") + "…";
}
