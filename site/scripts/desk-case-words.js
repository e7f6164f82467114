// What is said in a case, in words.

import { ITEMS } from "./desk-casework.js";
import { title, visible } from "./desk-text.js";
import { sentence } from "./page.js";

/** @typedef {import("./desk-casefold.js").Case} Case */
/** @typedef {import("./desk-casefold.js").Spoken} Spoken */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * What is shown of a journalist.
 * @param {Desk} desk
 * @param {string | undefined} name
 */
export function personOf({ edition }, name) {
  if (name === "") return sentence("nobody");
  return edition.recipients.find((one) => one.name === name)?.title ?? name ?? "";
}

/**
 * What is shown of an outlet; without partners there is one, which has no name.
 * @param {Desk} desk
 * @param {string} name
 */
export function outletOf({ edition }, name) {
  if (name === "") return sentence("newsroom");
  return edition.partners.find((one) => one.name === name)?.title ?? name;
}

/**
 * Names one after the other, each in its own direction.
 * @param {Desk} desk
 * @param {readonly string[]} names
 */
export function people(desk, names) {
  const titles = names.map((name) => `\u2068${personOf(desk, name)}\u2069`);
  return new Intl.ListFormat(desk.edition.language).format(titles);
}

/** @param {string} item */
export function itemOf(item) {
  const known = ITEMS.some((one) => one === item);
  return known ? sentence(`item_${item.replace("-", "_")}`) : item;
}

/** When something was said, for people of any language. @param {string} time */
export function timeOf(time) {
  return time.replace("T", " ").replace("Z", " UTC");
}

/**
 * What a statement says, but for its text.
 * @param {Desk} desk
 * @param {Case} told
 * @param {Spoken} spoken
 */
export function sayingOf(desk, told, { statement: one }) {
  const task = told.tasks.find(({ id }) => id === one.task);
  const work = task ? title(task.text) : (one.task ?? "").slice(0, 8);
  switch (one.says) {
    case "state":
      return sentence("said_state", { state: sentence(`state_${one.state}`) });
    case "task":
      return sentence("said_task", { to: personOf(desk, one.to) });
    case "assign":
      return sentence("said_assign", { task: work, to: personOf(desk, one.to) });
    case "done":
      return sentence(one.done ? "said_done" : "said_undone", { task: work });
    case "check":
      return sentence("said_check", { item: itemOf(one.item), answer: sentence(`answer_${one.is}`) });
    case "label":
      return sentence(one.set ? "said_label" : "said_label_off", { label: visible(one.label) });
    case "date":
      return sentence(one.date ? "said_date" : "said_date_none", { date: one.date });
    case "exclusive":
      return exclusively(desk, one);
    case "handover":
      return sentence("said_handover", { from: personOf(desk, one.from), to: personOf(desk, one.to) });
    case "widen":
      return sentence("said_widen", { names: people(desk, one.to) });
    default:
      return sentence(`said_${one.says}`, { date: one.date ?? "" });
  }
}

/**
 * @param {Desk} desk
 * @param {import("./desk-casework.js").Statement} statement
 */
export function exclusively(desk, { partner, until }) {
  if (partner === "") return sentence("said_exclusive_none");
  return sentence("said_exclusive", { partner: outletOf(desk, partner), date: until });
}

/**
 * What an outlet answers to the date that is proposed.
 * @param {Desk} desk
 * @param {Case} told
 * @param {string} name
 */
export function answerOf(desk, told, name) {
  const outlet = outletOf(desk, name);
  const last = told.answers.get(name);
  if (!last) return sentence("outlet_silent", { outlet });
  const key = accepts(told, name) ? "outlet_accepts" : "outlet_objects";
  return sentence(key, { outlet, author: personOf(desk, last.author) });
}

/**
 * Whether an outlet accepts that date.
 * @param {Case} told
 * @param {string} name
 */
export function accepts({ answers }, name) {
  const last = answers.get(name);
  return last !== undefined && last.statement.says !== "object";
}
