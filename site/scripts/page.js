// What both pages share: the data block, the sentences, the steps. The markup is README.md's.

/**
 * @typedef {object} Recipient
 * @property {string} name
 * @property {string} title
 * @property {string} recipient
 * @property {string} signer hex
 * @property {string} [partner]
 */

/**
 * @typedef {object} Edition
 * @property {string} newsroom the newsroom id
 * @property {string} language
 * @property {Recipient[]} recipients in the page's order
 * @property {{name: string, title: string, recipients: string[]}[]} partners
 * @property {number | null} choose the most partners a source may choose
 * @property {{id: string, type: "text" | "choice", required: boolean}[]} questions
 * @property {{stanzas: number, drop_bytes: number, board_lines: number}} terms
 * @property {Record<string, string>} messages
 */

/** @type {Edition} */
export const edition = JSON.parse(element("edition").textContent);

/**
 * The element with this id, which the markup must have.
 * @param {string} id
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * The element with this id, of this kind.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 */
export function control(id, kind) {
  const found = element(id);
  if (!(found instanceof kind)) throw new Error(`#${id} is no ${kind.name}`);
  return found;
}

/**
 * A copy of the one element in a template.
 * @param {string} id
 */
export function copyOf(id) {
  const copy = control(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`template ${id} is empty`);
  return copy;
}

/**
 * The place in such a copy that is marked with this data attribute.
 * @param {HTMLElement} copy
 * @param {string} name
 */
export function part(copy, name) {
  const found = copy.querySelector(`[data-${name}]`);
  if (!(found instanceof HTMLElement)) throw new Error(`a template has no [data-${name}]`);
  return found;
}

/**
 * A sentence in the page's language; each value keeps its own direction in it (Unicode's UAX #9).
 * @param {string} key
 * @param {Readonly<Record<string, string | number>>} [values]
 */
export function sentence(key, values = {}) {
  // In one pass: a file's name may hold braces of its own.
  return edition.messages[key].replace(/\{(\w+)\}/g, (whole, name) => {
    return name in values ? `\u2068${values[name]}\u2069` : whole;
  });
}

/**
 * A size as the page's language writes it.
 * @param {number} bytes
 */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const style = { style: "unit", unit: units[power], maximumFractionDigits: 1 };
  const format = new Intl.NumberFormat(edition.language, /** @type {Intl.NumberFormatOptions} */ (style));
  return format.format(bytes / 1000 ** power).replace(" ", "\u00a0");
}

/** @param {number} share of 1 */
export function percent(share) {
  return new Intl.NumberFormat(edition.language, { style: "percent" }).format(share);
}

/**
 * Shows how much of some work is done; who does not see the bar hears it every tenth.
 * @param {HTMLProgressElement} bar
 * @param {string} said
 * @param {number} share of 1
 */
export function showShare(bar, said, share) {
  bar.value = share;
  announce(sentence(said, { percent: percent(Math.floor(share * 10) / 10) }), false);
}

/**
 * Shows one step, alone, and moves the reader to its heading. What was said about the last one is gone.
 * @param {string} name
 */
export function show(name) {
  complain("");
  reveal(name);
  const heading = element(`step-${name}`).querySelector("h1, h2, h3");
  if (!(heading instanceof HTMLElement)) throw new Error(`step ${name} has no heading`);
  heading.tabIndex = -1;
  heading.focus();
  element("app").scrollIntoView(); // It begins with what may be said about the step.
}

/** @param {string} name */
function reveal(name) {
  for (const step of document.querySelectorAll("section[id^=step-]")) {
    if (step instanceof HTMLElement) step.hidden = step.id !== `step-${name}`;
  }
}

/**
 * Says what is wrong with the page as a whole; nothing when empty.
 * @param {string} text
 */
export function complain(text) {
  write("problem", text);
}

/**
 * Says what is wrong with a field and moves there; takes it back when empty.
 * @param {string} field
 * @param {string} text
 */
export function mark(field, text) {
  write(`${field}-error`, text);
  const marked = element(field);
  // A group cannot be invalid, and cannot have the focus.
  const target = marked.matches("fieldset") ? marked.querySelector("input") : marked;
  if (text === "") return target?.removeAttribute("aria-invalid");
  target?.setAttribute("aria-invalid", "true");
  target?.focus();
}

/**
 * Has a screen reader say it, and shows it to everyone else, unless the page shows as much elsewhere.
 * @param {string} text
 */
export function announce(text, shown = true) {
  const status = element("status");
  status.classList.toggle("spoken", !shown);
  if (status.textContent !== text) status.textContent = text; // The same words again would be said again.
}

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  const place = element(id);
  place.textContent = text;
  place.hidden = text === "";
}

/**
 * Calls back when a form is sent, and never navigates.
 * @param {string} id
 * @param {() => void | Promise<void>} then
 */
export function onSubmit(id, then) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(then);
  });
}

/**
 * @param {string} id
 * @param {() => void | Promise<void>} then
 */
export function onClick(id, then) {
  element(id).addEventListener("click", () => attempt(then));
}

/** @param {() => void | Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch {
    complain(sentence("failed"));
  }
}

/**
 * Starts the page at its top: the warning that there is no script goes, the first step comes, and leaving
 * asks first while there is something to lose.
 * @param {string} step
 * @param {() => boolean} unsaved
 */
export function start(step, unsaved) {
  window.addEventListener("beforeunload", (event) => {
    if (unsaved()) event.preventDefault();
  });
  // A page that comes back from the browser's memory would bring the words with it.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  element("no-script").hidden = true;
  element("app").hidden = false;
  reveal(step);
}
