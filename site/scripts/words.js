// The field into which the twelve words are typed: its rows, what Enter does, and what is wrong with them.

import { BadCodename, COUNT } from "./codename.js";
import { control, mark, sentence } from "./page.js";

const field = control("typed", HTMLTextAreaElement);
const { rows } = field;

field.addEventListener("input", fit);
window.addEventListener("resize", fit);
field.addEventListener("keydown", (event) => {
  // Before the last word Enter begins a new line, as they may stand on paper; after it, it sends.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || typed().length < COUNT) return;
  event.preventDefault();
  field.form?.requestSubmit();
});

/**
 * What this reading makes of the words as they were typed; null where it refuses them, which the page then
 * says.
 * @template T
 * @param {(text: string) => T} reading throws BadCodename
 */
export function readWords(reading) {
  try {
    return reading(field.value);
  } catch (mistake) {
    if (!(mistake instanceof BadCodename)) throw mistake;
    refuse(mistake);
    return null;
  }
}

/**
 * Says that the word at this place, from 1, is not the one that was shown.
 * @param {number} position
 */
export function differsAt(position) {
  mark("typed", sentence("word_differs", { position }));
  select(typed()[position - 1]);
}

/** Empties the field, and takes back what was said about it. */
export function forgetWords() {
  field.value = "";
  fit();
  mark("typed", "");
}

/** @param {BadCodename} mistake */
function refuse({ reason, word, count }) {
  if (reason === "word") {
    mark("typed", sentence("word_unknown", { word }));
    select(typed().find(([text]) => text === word));
  } else mark("typed", reason === "count" ? sentence("words_count", { count }) : sentence("words_wrong"));
}

/** Each word typed, and where in the field it stands. */
function typed() {
  return [...field.value.matchAll(/\S+/gu)];
}

/**
 * Selects a word, so that what is typed next replaces it.
 * @param {RegExpExecArray | undefined} word
 */
function select(word) {
  if (word) field.setSelectionRange(word.index, word.index + word[0].length);
}

/** Gives the field as many rows as its words take, so that all of them are to be seen. */
function fit() {
  field.rows = rows;
  while (field.scrollHeight > field.clientHeight && field.rows < COUNT * 2) field.rows++;
}
