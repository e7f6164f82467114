// What a journalist says in a case, from the forms beside it; keys and meanings are those of the command
// line's keys/desk/casework/sayings.py.

import { chosenReaders, showEffect } from "./desk-case-widen.js";
import { Cases } from "./desk-cases.js";
import { LONGEST_TEXT, isDate, isLabel, isName, isText } from "./desk-casework.js";
import { control, element, mark, onClick, onSubmit, sentence } from "./page.js";

/** @typedef {import("./desk-casefold.js").Case} Case */
/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {Readonly<Record<string, unknown>>} More what a statement holds beside its kind */

/**
 * Each form's meaning, from what it holds and where the case stands; null for what it marks as wrong.
 * @type {Readonly<Record<string, (told: Case) => More | null>>}
 */
const FORMS = {
  state() {
    const chosen = document.querySelector('input[name="state"]:checked');
    const state = chosen instanceof HTMLInputElement ? chosen.value : "";
    if (refuse("state", state === "", "choice_missing")) return null;
    const text = typed("state-text");
    if (refuse("state-text", state === "aside" && text === "", "reason_missing")) return null;
    return isLong("state-text", text) ? null : { state, text };
  },
  note: () => worded("case-note", "text_missing", (text) => ({ text })),
  task: () => worded("task-text", "text_missing", (text) => ({ text, to: chosenIn("task-to") })),
  assign: () => ({ task: chosenIn("assign-task"), to: chosenIn("assign-to") }),
  handover() {
    const [from, to] = [chosenIn("handover-from"), chosenIn("handover-to")];
    return refuse("handover-to", from === to, "handover_same") ? null : { from, to };
  },
  check() {
    const own = typed("check-own").toLowerCase().replaceAll(/\s+/g, "-");
    if (refuse("check-own", own !== "" && !isName(own), "item_wrong")) return null;
    return { item: own || chosenIn("check-item"), is: chosenIn("check-is") };
  },
  label() {
    const label = typed("label-text");
    if (refuse("label-text", label === "", "text_missing")) return null;
    return refuse("label-text", !isLabel(label), "label_wrong") ? null : { label, set: true };
  },
  date() {
    const date = control("date-date", HTMLInputElement).value;
    return refuse("date-date", !isDate(date), "date_missing") ? null : { date };
  },
  object: ({ planned: date }) => worded("object-text", "reason_missing", (text) => ({ date, text })),
  exclusive() {
    const until = control("exclusive-until", HTMLInputElement).value;
    if (refuse("exclusive-until", !isDate(until), "date_missing")) return null;
    return { partner: chosenIn("exclusive-partner"), until };
  },
};

/**
 * Listens to the forms. `at` is the desk and the thread that are shown, `then` is called with what is said,
 * and `whole` before somebody is let in: whether all of the case can be passed on.
 * @param {() => {desk: Desk, key: string} | null} at
 * @param {(says: string, more: More) => void} then
 * @param {(key: string, to: readonly string[]) => Promise<boolean>} whole
 */
export function listen(at, then, whole) {
  for (const [says, meaning] of Object.entries(FORMS)) {
    onSubmit(`say-${says}`, () => {
      const shown = at();
      if (!shown) return;
      for (const field of element(`say-${says}`).querySelectorAll("[id$=-error]")) {
        mark(field.id.replace(/-error$/, ""), "");
      }
      const more = meaning(new Cases(shown.desk).of(shown.key));
      if (!more) return;
      then(says, more);
      control(`say-${says}`, HTMLFormElement).reset();
      close(says);
    });
  }
  const say = (/** @type {string} */ says, /** @type {More} */ more) => {
    then(says, more);
    close(says);
  };
  element("widen-to").addEventListener("change", () => {
    const shown = at();
    if (shown) showEffect(shown.desk, shown.key);
  });
  onSubmit("say-widen", async () => {
    const [shown, to] = [at(), chosenReaders()];
    const sure = control("widen-sure", HTMLInputElement);
    mark("widen-sure", "");
    if (!shown || to.length === 0 || refuse("widen-sure", !sure.checked, "widen_unsure")) return;
    if (!(await whole(shown.key, to))) return;
    if (at()?.desk !== shown.desk || at()?.key !== shown.key) return; // The reader went elsewhere meanwhile.
    then("widen", { to });
    control("say-widen", HTMLFormElement).reset();
    close("widen");
    focusOn("#sync-here"); // There is nothing to be seen of it before.
  });
  onClick("accept", () => {
    const shown = at();
    if (!shown) return;
    then("accept", { date: new Cases(shown.desk).of(shown.key).planned });
    focusOn("#object-details summary"); // The button is gone.
  });
  onClick("date-none", () => say("date", { date: "" }));
  onClick("exclusive-none", () => say("exclusive", { partner: "", until: "" }));
  element("tasks").addEventListener("click", ({ target }) => {
    const { task, done } = target instanceof HTMLButtonElement ? stateOf(target) : {};
    if (!task) return;
    then("done", { task, done: !done });
    focusOn(`#tasks [data-task="${task}"]`);
  });
  element("labels").addEventListener("click", ({ target }) => {
    const label = target instanceof HTMLButtonElement ? target.dataset.named : undefined;
    if (label === undefined) return;
    then("label", { label, set: false });
    focusOn("#label-details summary");
  });
}

/** Which task a button is for, and whether it is done. @param {HTMLButtonElement} button */
function stateOf(button) {
  return { task: button.dataset.task, done: button.closest("li")?.dataset.stands === "done" };
}

/** Closes what a form is in, and leaves the reader there. @param {string} says */
function close(says) {
  const box = document.getElementById(`${says}-details`);
  if (!(box instanceof HTMLDetailsElement)) return;
  box.open = false;
  focusOn(`#${box.id} summary`);
}

/** @param {string} css */
function focusOn(css) {
  const found = document.querySelector(css);
  if (found instanceof HTMLElement) found.focus();
}

/**
 * A field's text as a statement may hold it.
 * @param {string} id
 */
function typed(id) {
  const field = element(id);
  const { value } = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (field);
  return value.replaceAll("\r\n", "\n").replaceAll("\t", "    ").toWellFormed().trim();
}

/** @param {string} id */
function chosenIn(id) {
  return control(id, HTMLSelectElement).value;
}

/**
 * What a text means; null where there is none, or too much of it.
 * @param {string} id
 * @param {string} missing what to say where it is not there
 * @param {(text: string) => More} meaning
 */
function worded(id, missing, meaning) {
  const text = typed(id);
  return refuse(id, text === "", missing) || isLong(id, text) ? null : meaning(text);
}

/** @param {string} id @param {string} text */
function isLong(id, text) {
  const long = new TextEncoder().encode(text).length > LONGEST_TEXT;
  return refuse(id, long, "text_long") || refuse(id, !isText(text), "text_wrong");
}

/**
 * Marks a field where something is wrong with it, and tells whether it did.
 * @param {string} field
 * @param {boolean} wrong
 * @param {string} key
 */
function refuse(field, wrong, key) {
  if (wrong) mark(field, sentence(key));
  return wrong;
}
