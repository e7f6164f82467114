// What the parts of a case are shown with.

import { control, element } from "./page.js";

/**
 * Fills a field with options, and leaves what was chosen.
 * @param {string} id
 * @param {readonly (readonly [string, string])[]} options
 */
export function fill(id, options) {
  const field = control(id, HTMLSelectElement);
  const chosen = field.value;
  field.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) field.value = chosen;
}

/** @param {string} id @param {string} text */
export function write(id, text) {
  element(id).textContent = text;
  element(id).hidden = text === "";
}

/** @param {Element} one @param {boolean} hidden */
export function hide(one, hidden) {
  one.toggleAttribute("hidden", hidden);
}

/** @param {string} text */
export function itemWith(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}
