// Letting somebody else read a case: whom, what that means, and what is still to be done of it.

import { fill, hide, write } from "./desk-case-parts.js";
import { outletOf, people, personOf } from "./desk-case-words.js";
import { heldOf, isHere, owed } from "./desk-passing.js";
import { isSilent } from "./desk-state.js";
import { control, element, sentence } from "./page.js";

/** @typedef {import("./desk-casefold.js").Case} Case */
/** @typedef {import("./desk-cases.js").Cases} Cases */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * Shows whom this journalist can let in, and what it means.
 * @param {Desk} desk
 * @param {string} key
 * @param {Cases} cases
 * @param {boolean} speaks
 */
export function showWidening(desk, key, cases, speaks) {
  const options = candidates(desk, cases.of(key));
  hide(element("widen-details"), !speaks || options.length === 0);
  fill("widen-to", options);
  showEffect(desk, key, cases);
}

/** The names that were chosen. */
export function chosenReaders() {
  return control("widen-to", HTMLSelectElement).value.split(" ").filter(Boolean);
}

/**
 * Says what letting in those who are chosen means.
 * @param {Desk} desk
 * @param {string} key
 * @param {Cases} [cases]
 */
export function showEffect(desk, key, cases) {
  const names = people(desk, chosenReaders());
  const held = heldOf(desk, key, cases).filter((entry) => !isSilent(entry));
  const drops = held.filter(({ letter }) => letter?.kind === "drop").length;
  const files = held.reduce((count, entry) => count + entry.files.length, 0);
  const said = { names, drops, notes: held.length - drops, files };
  write("widen-effect", sentence("widen_effect", said));
}

/**
 * What there is to say of what is still to go to new readers of a case; empty where nothing is.
 * @param {Desk} desk
 * @param {string} key
 * @param {Cases} cases
 */
export function passingOf(desk, key, cases) {
  const waiting = owed(desk, cases).filter(({ entry }) => entry.letter?.thread === key);
  const away = waiting.filter(({ entry }) => !isHere(desk, entry));
  return { waiting: countOf(desk, "case_passing", waiting), away: countOf(desk, "case_away", away) };
}

/**
 * @param {Desk} desk
 * @param {string} said
 * @param {readonly import("./desk-passing.js").Owed[]} of
 */
function countOf(desk, said, of) {
  const names = people(desk, [...new Set(of.flatMap(({ to }) => to))]);
  return of.length > 0 ? sentence(said, { names, count: of.length }) : "";
}

/**
 * Partners, then journalists, who cannot read a case yet: the names of whom that lets in, and what is shown.
 * @param {Desk} desk
 * @param {Case} told
 * @returns {[string, string][]}
 */
function candidates(desk, { readers }) {
  const { partners, recipients } = desk.edition;
  const listed = recipients.map(({ name }) => name).filter((name) => !readers.has(name));
  /** @type {Map<string, string>} */
  const options = new Map();
  for (const { name, recipients: theirs } of partners) {
    const names = listed.filter((one) => theirs.includes(one));
    if (names.length === 0) continue;
    const said = { outlet: outletOf(desk, name), names: people(desk, names) };
    options.set(names.join(" "), sentence("widen_outlet", said));
  }
  for (const name of listed) if (!options.has(name)) options.set(name, personOf(desk, name));
  return [...options];
}
