// The files of a drop: shown where that is safe, and else only saved.

import { bytesToHex } from "@noble/hashes/utils.js";
import { read } from "./desk-drop.js";
import { sha256Of } from "./desk-hash.js";
import { kindOf, pictureType, textFrom } from "./desk-picture.js";
import { visible } from "./desk-text.js";
import { announce, copyOf, part, sentence, size } from "./page.js";

// Firefox shows what it saved as .pdf, .svg or .xml in a tab of its own, whatever its type was said to be;
// and a page that is opened from a disk has the origin of this one.
const UNSAFE = ".unsafe";
const WIDEST = 4096; // pixels of a picture's longer side

/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * A drop's files as a list's items.
 * @param {Desk} desk
 * @param {Entry} entry
 * @param {(entry: Entry) => Promise<Blob | null>} fetchAgain gets a drop that is not here any more
 */
export function fileItems(desk, entry, fetchAgain) {
  const content = async (/** @type {string} */ name) => {
    const sealed = desk.sealed.get(entry.id) ?? (await fetchAgain(entry));
    if (!sealed) return null;
    announce(sentence("file_opening", { file: name }));
    const { content: found } = await read(sealed, { ...desk.journalist, place: desk.place }, name);
    announce("");
    return found;
  };
  return entry.files.map((file) => itemFor(file, () => content(file.name)));
}

/**
 * @param {{name: string, size: number}} file
 * @param {() => Promise<Blob | null>} content
 */
function itemFor({ name, size: bytes }, content) {
  const item = copyOf("file");
  part(item, "name").textContent = name;
  part(item, "size").textContent = size(bytes);
  const [showing, saving, view, said] = ["show", "save", "view", "said"].map((one) => part(item, one));
  const kind = kindOf(name, bytes);
  showing.hidden = kind === "";
  showing.setAttribute("aria-expanded", "false");
  showing.setAttribute("aria-label", sentence("file_show", { file: name }));
  saving.setAttribute("aria-label", sentence("file_save", { file: name }));
  act(showing, said, async () => {
    showing.setAttribute("aria-expanded", "false");
    if (view.childElementCount > 0) return view.replaceChildren();
    const found = await content();
    if (!found) return;
    const bytesOf = new Uint8Array(await found.arrayBuffer());
    const shown = kind === "text" ? textView(bytesOf) : await pictureView(bytesOf, name);
    if (shown) view.replaceChildren(shown);
    else say(said, sentence("file_unlike", { file: name }));
    showing.setAttribute("aria-expanded", String(shown !== null));
  });
  act(saving, said, async () => {
    const found = await content();
    if (!found) return;
    const sum = bytesToHex(await sha256Of(new Uint8Array(await found.arrayBuffer())));
    save(found, name + UNSAFE);
    say(said, sentence("file_saved", { file: name }));
    part(item, "sum").textContent = sum;
    part(item, "sum").hidden = false;
  });
  return item;
}

/**
 * Calls back on a click, one at a time; what goes wrong is said at the file.
 * @param {HTMLElement} button
 * @param {HTMLElement} said
 * @param {() => Promise<void>} action
 */
function act(button, said, action) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true"); // Not disabled, which would take the focus away.
    try {
      await action();
    } catch {
      announce("");
      say(said, sentence("file_failed"));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 */
function say(place, text) {
  place.textContent = text;
  place.hidden = false;
}

/** @param {Uint8Array} bytes */
function textView(bytes) {
  const text = textFrom(bytes);
  if (text === null) return null;
  const view = document.createElement("pre");
  view.dir = "auto";
  view.tabIndex = 0; // So that keys can scroll it.
  view.textContent = visible(text);
  return view;
}

/**
 * A picture's pixels: what else the file holds stays behind. Shown as a canvas and never read back, which Tor
 * Browser would not allow.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} name
 */
async function pictureView(bytes, name) {
  const type = pictureType(bytes);
  if (!type) return null;
  let picture;
  try {
    picture = await createImageBitmap(new Blob([bytes], { type }));
  } catch {
    return null;
  }
  const scale = Math.min(1, WIDEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas;
}

/**
 * Has the browser save bytes: it asks where, and opens nothing.
 * @param {Blob} content
 * @param {string} name
 */
export function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // The browser may still ask where to.
}
