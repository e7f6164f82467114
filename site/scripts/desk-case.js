// A case beside its conversation: where it stands, and who said what.

import { accepts, answerOf, exclusively, itemOf, outletOf, people, personOf } from "./desk-case-words.js";
import { sayingOf, timeOf } from "./desk-case-words.js";
import { fill, hide, itemWith, write } from "./desk-case-parts.js";
import { passingOf, showWidening } from "./desk-case-widen.js";
import { Cases, WAITING } from "./desk-cases.js";
import { noteDraft } from "./desk-state.js";
import { title, visible } from "./desk-text.js";
import { control, copyOf, element, mark, part, sentence } from "./page.js";

/** How many of what anybody may add without end are shown at once. */
const AT_ONCE = 50;

/** @typedef {import("./desk-casefold.js").Case} Case */
/** @typedef {import("./desk-casefold.js").Spoken} Spoken */
/** @typedef {import("./desk-casefold.js").Task} Task */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/** How many are listed now. */
const listed = { history: AT_ONCE, tasks: AT_ONCE };

/** Lists more of them the next time. @param {"history" | "tasks"} which */
export function listMoreOf(which) {
  listed[which] += AT_ONCE;
}

/** Forgets what is shown and typed there. */
export function clearCase() {
  const section = element("case");
  delete section.dataset.key;
  for (const place of section.querySelectorAll("[data-told]")) place.replaceChildren();
  for (const form of section.querySelectorAll("form")) form.reset();
  for (const box of section.querySelectorAll("details")) box.open = false;
  for (const error of section.querySelectorAll("[id$=-error]")) mark(error.id.replace(/-error$/, ""), "");
  Object.assign(listed, { history: AT_ONCE, tasks: AT_ONCE });
}

/**
 * Shows the case of a thread.
 * @param {Desk} desk
 * @param {import("./desk-threads.js").Thread} thread
 */
export function showCase(desk, thread) {
  const { key } = thread;
  const section = element("case");
  if (section.dataset.key !== key) {
    clearCase();
    control("case-note", HTMLTextAreaElement).value = desk.state.drafts.get(noteDraft(key)) ?? "";
  }
  section.dataset.key = key;
  section.hidden = false;
  const cases = new Cases(desk);
  const told = cases.of(key);
  const speaks = cases.sent(key).readers.has(desk.name);
  for (const one of section.querySelectorAll("details, form")) hide(one, !speaks);
  element("standing").hidden = told.messages.length === 0;
  const passing = passingOf(desk, key, cases);
  showWarnings(desk, told, speaks, passing.away);
  showWaiting(desk, key, passing.waiting);
  showState(desk, told);
  showTasks(desk, told, speaks);
  showEvidence(told);
  showPublication(desk, told, speaks);
  showLabels(told, speaks);
  const readers = [...told.readers].filter((name) => isListed(desk, name));
  element("case-readers").textContent = people(desk, readers);
  showWidening(desk, key, cases, speaks);
  showHistory(desk, told);
}

/** @param {Desk} desk @param {string} name */
function isListed({ edition }, name) {
  return edition.recipients.some((one) => one.name === name);
}

/**
 * @param {Desk} desk
 * @param {Case} told
 * @param {boolean} speaks
 * @param {string} away what is to be said of what is not here; empty where nothing is
 */
function showWarnings(desk, told, speaks, away) {
  const warnings = [];
  if (told.messages.length === 0) warnings.push(sentence("case_none"));
  else if (!speaks) warnings.push(sentence("case_outside"));
  const refused = told.refused.map(({ author, late }) => {
    return sentence(late ? "case_late" : "case_refused", { author: personOf(desk, author) });
  });
  warnings.push(...new Set(refused));
  if (told.missing.size > 0) warnings.push(sentence("case_missing", { count: told.missing.size }));
  if (away) warnings.push(away);
  element("case-warnings").hidden = warnings.length === 0;
  element("case-warnings").replaceChildren(...warnings.map((text) => itemWith(text)));
}

/**
 * @param {Desk} desk
 * @param {string} key
 * @param {string} passing
 */
function showWaiting({ state }, key, passing) {
  const count = state.says.filter(({ thread, note }) => thread === key && !note).length;
  write("case-waiting-text", count > 0 ? sentence("case_waiting", { count }) : "");
  write("case-passing-text", passing);
  element("case-waiting").hidden = count === 0 && passing === "";
}

/** @param {Desk} desk @param {Case} told */
function showState(desk, { state, stands }) {
  element("case-state").textContent = sentence(`state_${stands}`);
  write("case-state-text", visible(state?.statement.text ?? ""));
  const by = state && { author: personOf(desk, state.author), time: timeOf(state.statement.time) };
  write("case-state-by", by ? sentence("spoken", by) : "");
}

/**
 * @param {Desk} desk
 * @param {Case} told
 * @param {boolean} speaks
 */
function showTasks(desk, { tasks, readers }, speaks) {
  const sorted = [...tasks.filter(({ done }) => !done), ...tasks.filter(({ done }) => done)];
  element("no-tasks").hidden = tasks.length > 0;
  limited("tasks", sorted.map((task) => () => taskItem(desk, task, readers, speaks)));
  const open = tasks.filter(({ done }) => !done);
  const names = desk.edition.recipients.map(({ name }) => name).filter((name) => readers.has(name));
  const options = names.map((name) => /** @type {[string, string]} */ ([name, personOf(desk, name)]));
  fill("task-to", [["", sentence("nobody")], ...options]);
  fill("assign-task", tasks.slice(0, 10 * AT_ONCE).map(({ id, text }) => [id, title(text)]));
  fill("assign-to", [["", sentence("nobody")], ...options]);
  const busy = [...new Set(open.map(({ to }) => to))].filter(Boolean);
  fill("handover-from", busy.map((name) => [name, personOf(desk, name)]));
  fill("handover-to", options);
  hide(element("assign-details"), !speaks || tasks.length === 0);
  hide(element("handover-details"), !speaks || busy.length === 0);
}

/**
 * @param {Desk} desk
 * @param {Task} task
 * @param {ReadonlySet<string>} readers
 * @param {boolean} speaks
 */
function taskItem(desk, { id, text, author, to, done }, readers, speaks) {
  const item = copyOf("task");
  item.dataset.stands = done ? "done" : "open";
  part(item, "title").textContent = visible(text);
  const gone = to !== "" && !readers.has(to);
  const facts = { to: personOf(desk, to), author: personOf(desk, author) };
  part(item, "facts").textContent = sentence(gone ? "task_gone" : "task_facts", facts);
  const button = part(item, "done");
  button.hidden = !speaks;
  button.dataset.task = id;
  button.textContent = sentence(done ? "task_undone" : "task_done");
  button.setAttribute("aria-label", sentence(done ? "said_undone" : "said_done", { task: title(text) }));
  return item;
}

/** @param {Case} told */
function showEvidence({ checks }) {
  const items = [...checks].slice(0, 2 * AT_ONCE).map(([item, answer]) => {
    const row = copyOf("check");
    part(row, "item").textContent = itemOf(item);
    part(row, "answer").textContent = sentence(`answer_${answer}`);
    row.dataset.answer = answer;
    return row;
  });
  element("checks").replaceChildren(...items);
  fill("check-item", [...checks.keys()].slice(0, 2 * AT_ONCE).map((item) => [item, itemOf(item)]));
}

/**
 * @param {Desk} desk
 * @param {Case} told
 * @param {boolean} speaks
 */
function showPublication(desk, told, speaks) {
  const { planned: date, agreed, outlets, exclusive } = told;
  const { partners } = desk.edition;
  element("case-date").textContent = date
    ? sentence(agreed ? "date_agreed" : "date_open", { date })
    : sentence("date_none");
  element("outlets").replaceChildren(
    ...(date ? outlets : []).map((name) => itemWith(answerOf(desk, told, name))),
  );
  write("case-exclusive", exclusive ? exclusively(desk, exclusive.statement) : "");
  const own = partners.filter(({ recipients }) => recipients.includes(desk.name)).map(({ name }) => name);
  const mine = partners.length === 0 ? outlets : outlets.filter((name) => own.includes(name));
  const answers = speaks && date !== "" && mine.length > 0;
  element("accepting").hidden = !answers || mine.every((name) => accepts(told, name));
  element("objecting").hidden = !answers;
  element("dropping").hidden = date === "";
  element("excluding").hidden = partners.length === 0;
  element("including").hidden = !exclusive;
  fill("exclusive-partner", outlets.map((name) => [name, outletOf(desk, name)]));
}

/** @param {Case} told @param {boolean} speaks */
function showLabels({ labels }, speaks) {
  element("no-labels").hidden = labels.length > 0;
  const items = labels.slice(0, 2 * AT_ONCE).map((label) => {
    const item = copyOf("label");
    part(item, "label").textContent = visible(label);
    const button = part(item, "remove");
    button.hidden = !speaks;
    button.dataset.named = label;
    button.setAttribute("aria-label", sentence("label_remove", { label: visible(label) }));
    return item;
  });
  element("labels").replaceChildren(...items);
}

/** @param {Desk} desk @param {Case} told */
function showHistory(desk, told) {
  const spoken = told.history.filter(({ statement }) => statement.says !== "read").reverse();
  element("no-history").hidden = spoken.length > 0;
  limited("history", spoken.map((one) => () => spokenItem(desk, told, one)));
}

/**
 * @param {Desk} desk
 * @param {Case} told
 * @param {Spoken} spoken
 */
function spokenItem(desk, told, spoken) {
  const { author, note, statement } = spoken;
  const item = copyOf("spoken");
  item.dataset.says = statement.says;
  part(item, "author").textContent = personOf(desk, author);
  part(item, "time").textContent = timeOf(statement.time);
  part(item, "said").textContent = sayingOf(desk, told, spoken);
  part(item, "text").textContent = visible(statement.text ?? "");
  part(item, "text").hidden = !statement.text;
  part(item, "note").hidden = note !== WAITING;
  return item;
}

/**
 * Shows the first of a list, and a button that counts the others.
 * @param {"history" | "tasks"} which
 * @param {readonly (() => HTMLElement)[]} items
 */
function limited(which, items) {
  const left = items.length - listed[which];
  element(which).replaceChildren(...items.slice(0, listed[which]).map((made) => made()));
  element(`more-${which}`).hidden = left <= 0;
  element(`more-${which}`).textContent = sentence(`more_${which}`, { left });
}
