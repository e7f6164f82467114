// The form of a drop: message, questions, files, and who may read it.

import { FILES_LIMIT, FILE_LIMIT, TEXT_LIMIT, measure } from "./drop.js";
import { sumsOf } from "./file.js";
import { namesFor } from "./names.js";
import { complain, control, copyOf, edition, element, mark, part, sentence, size } from "./page.js";

/** @typedef {import("./drop.js").Draft} Draft */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Question */

const message = control("message", HTMLTextAreaElement);
const picker = control("files", HTMLInputElement);
const list = element("file-list");
/** @type {NodeListOf<HTMLInputElement>} */
const boxes = element("to").querySelectorAll("input[name=to]");
/** @type {NodeListOf<Question>} */
const questions = document.querySelectorAll("[data-question]");

/** @typedef {{file: File, sums: Promise<string[]>, dropped: AbortController}} Chosen */

/** @type {Chosen[]} */
let files = [];
/** The last file's reading: one after another, since a thousand at once would fill the memory. */
let reading = Promise.resolve();

picker.addEventListener("change", () => {
  files.push(...[...(picker.files ?? [])].map(chosen));
  picker.value = ""; // So that a file can be added again after it was removed.
  listFiles();
});
element("write").addEventListener("input", showTotal);
clear();

/** Whether there is anything that would be lost. */
export function filled() {
  return message.value !== "" || files.length > 0 || Object.keys(answers()).length > 0;
}

/** Empties the form, also of what a browser kept through a reload. */
export function clear() {
  control("write", HTMLFormElement).reset();
  for (const { dropped } of files) dropped.abort();
  files = [];
  listFiles();
}

/**
 * Ticks these recipients, or the partners they work for, and nobody else. No recipients change nothing.
 * @param {ReadonlySet<string>} names
 */
export function choose(names) {
  if (names.size === 0) return;
  for (const box of boxes) box.checked = behind(box).some((name) => names.has(name));
}

/**
 * What the form holds, as a draft of this thread; null where something is missing or too much, which the page
 * then says.
 * @param {Uint8Array} thread the thread key
 * @param {readonly string[]} read ids of the replies that were read
 */
export function draftFrom(thread, read) {
  complain("");
  for (const field of ["to", "message", ...[...questions].map(({ id }) => id), "files"]) mark(field, "");
  const draft = draftNow(thread, read);
  const wrong = firstMistake(draft);
  if (!wrong) return draft;
  const [, field, key, values] = wrong;
  mark(field, sentence(key, values));
  return null;
}

/**
 * @param {Uint8Array} thread
 * @param {readonly string[]} read
 * @returns {Draft}
 */
function draftNow(thread, read) {
  const names = namesFor(files.map(({ file }) => file.name));
  const readers = new Set(ticked().flatMap(behind));
  return {
    newsroom: edition.newsroom,
    language: edition.language,
    thread,
    to: edition.recipients.map(({ name }) => name).filter((name) => readers.has(name)),
    answers: answers(),
    read,
    text: message.value,
    files: files.map((one, at) => ({ ...one, name: names[at] })),
  };
}

/**
 * The first mistake from the top of the form: its field, its sentence.
 * @param {Draft} draft
 */
function firstMistake(draft) {
  const sizes = measure(draft, edition.recipients.length);
  const { choose: most, terms } = edition;
  const limit = size(TEXT_LIMIT);
  const large = files.find(({ file }) => file.size > FILE_LIMIT)?.file;
  const required = new Set(edition.questions.filter((one) => one.required).map(({ id }) => id));
  const unanswered = [...questions].filter((question) => required.has(idOf(question)) && !answerTo(question));

  /** @typedef {Record<string, string | number>} Values */
  /** @typedef {[wrong: boolean, field: string, key: string, values?: Values]} Check */
  /** @type {Check[]} */
  const checks = [
    [draft.to.length === 0, "to", "to_none"],
    [most !== null && ticked().length > most, "to", "to_many", { count: most ?? 0 }],
    [sizes.message > TEXT_LIMIT, "message", "message_long", { limit }],
    [!filled(), "message", "empty"],
    ...unanswered.map(({ id }) => /** @type {Check} */ ([true, id, "required"])),
    [sizes.described > TEXT_LIMIT, questions[0]?.id, "answers_long", { limit }],
    [files.length > FILES_LIMIT, "files", "files_many", { count: FILES_LIMIT }],
    [large !== undefined, "files", "file_large", { file: large?.name ?? "" }],
    [sizes.size > terms.drop_bytes, "files", "total_large", total(sizes.size)],
  ];
  return checks.find(([wrong]) => wrong);
}

function answers() {
  const given = [...questions].map((question) => [idOf(question), answerTo(question)]);
  return Object.fromEntries(given.filter(([, answer]) => answer !== ""));
}

/** @param {Question} question */
function idOf(question) {
  return question.dataset.question ?? "";
}

/** @param {Question} question */
function answerTo(question) {
  // JSON would carry half a surrogate pair along, and a reader refuse it.
  return question.value.trim().toWellFormed();
}

function ticked() {
  return [...boxes].filter((box) => box.checked);
}

/**
 * The recipients that a box stands for.
 * @param {HTMLInputElement} box
 */
function behind(box) {
  return edition.partners.find(({ name }) => name === box.value)?.recipients ?? [box.value];
}

/**
 * @param {File} file
 * @returns {Chosen}
 */
function chosen(file) {
  const dropped = new AbortController();
  const sums = reading.then(() => sumsOf(file, dropped.signal));
  reading = sums.then(ignored, ignored); // Who awaits the sums hears what went wrong.
  return { file, sums, dropped };
}

function ignored() {}

function listFiles() {
  list.replaceChildren(...files.map(fileItem));
  showTotal();
}

/**
 * @param {Chosen} chosen
 * @param {number} at
 */
function fileItem({ file, dropped }, at) {
  const item = copyOf("file-item");
  part(item, "name").textContent = file.name;
  part(item, "size").textContent = size(file.size);
  const button = part(item, "remove");
  button.setAttribute("aria-label", sentence("file_remove", { file: file.name }));
  button.addEventListener("click", () => {
    files.splice(at, 1);
    dropped.abort();
    mark("files", "");
    listFiles();
    (list.querySelectorAll("button")[Math.min(at, files.length - 1)] ?? picker).focus();
  });
  return item;
}

function showTotal() {
  const sizes = measure(draftNow(new Uint8Array(32), []), edition.recipients.length);
  element("total").textContent = sentence("total", total(sizes.size));
}

/** @param {number} bytes */
function total(bytes) {
  return { size: size(bytes), limit: size(edition.terms.drop_bytes) };
}
