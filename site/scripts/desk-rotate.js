// A new identity, made in the page. Nothing relies on it before its file was saved and opened from there.

import { today } from "./desk-days.js";
import { save } from "./desk-files.js";
import { BadIdentity, MOST_FORMER, lock, unlock } from "./desk-identity.js";
import { SHORTEST, fileText, publicFile, rotated } from "./desk-rotation.js";
import { session, takeUp } from "./desk-session.js";
import {
  announce,
  complain,
  control,
  element,
  mark,
  onClick,
  onSubmit,
  sentence,
  show,
  showShare,
} from "./page.js";

/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {"rotate" | "keep"} Form */

/** @type {Uint8Array<ArrayBuffer> | null} a new identity file on which nobody relies yet */
let made = null;
/** @type {object | null} the work that is under way */
let working = null;

/** Whether a closed page would lose a new identity file. */
export function isNew() {
  return made !== null;
}

/** Whether work is under way. */
export function isRotating() {
  return working !== null;
}

/** Forgets what was made and typed, and ends what is under way. */
export function clearRotation() {
  made = null;
  for (const form of /** @type {const} */ (["rotate", "keep"])) {
    control(form, HTMLFormElement).reset();
    end(form);
  }
}

/**
 * What the newsroom needs before it lists this journalist's newest identity; nothing where it does.
 * @param {Desk} desk
 */
export function wanting({ name, journalist: { inFile, identities } }) {
  return inFile[0] === identities[0] ? "" : sentence("coming", { file: `${name}.pub` });
}

/**
 * Says in the inbox where this journalist's identity stands.
 * @param {Desk} desk
 */
export function showIdentity(desk) {
  const coming = wanting(desk);
  element("coming-text").textContent = coming;
  element("coming").hidden = coming === "";
  element("present").hidden = coming !== "";
}

/** @param {() => void} toInbox */
export function listenToRotation(toInbox) {
  onClick("to-rotate", () => {
    announce("");
    const count = MOST_FORMER;
    if ((session.desk?.journalist.inFile.length ?? 0) > count) complain(sentence("identity_full", { count }));
    else show("rotate");
  });
  onSubmit("rotate", make);
  onClick("keep-save", () => {
    if (made) save(new Blob([made]), `${session.desk?.name}-${today()}.key`);
  });
  onSubmit("keep", check);
  for (const back of ["rotate-back", "keep-back"]) {
    onClick(back, () => {
      const lost = isNew();
      clearRotation();
      toInbox();
      announce(lost ? sentence("rotation_left") : "");
    });
  }
  onClick("to-next", showNext);
  onClick("next-save", async () => {
    if (!session.desk) return;
    const { name, journalist } = session.desk;
    const { text } = await publicFile(name, journalist.inFile);
    save(new Blob([text]), `${name}.pub`);
  });
  onClick("next-back", toInbox);
}

/** Makes a new identity and its file with what the form holds, or says what is wrong. */
async function make() {
  const fields = ["rotate-passphrase", "rotate-new", "rotate-again"];
  for (const field of fields) mark(field, "");
  const { desk, file } = session;
  const [old, fresh, again] = fields.map(typed);
  const chosen = fresh || old;
  if (!desk || working) return;
  if (old === "") return mark("rotate-passphrase", sentence("passphrase_missing"));
  if ([...chosen].length < SHORTEST) {
    return mark("rotate-new", sentence("passphrase_short", { count: SHORTEST }));
  }
  if (fresh !== again) return mark("rotate-again", sentence("passphrase_differs"));
  const locked = await work("rotate", "making", async (report) => {
    const all = await unlock(file, old, (share) => report(share / 2));
    for (const { seed } of all) seed.fill(0);
    const identities = await rotated(all.flatMap((one) => one.identities));
    return lock(fileText(desk.name, identities), chosen, (share) => report((1 + share) / 2));
  });
  if (!locked) return;
  made = locked;
  show("keep");
}

/** Relies on the new file, once what was saved is that very file and opens; or says what is wrong. */
async function check() {
  for (const field of ["keep-file", "keep-passphrase"]) mark(field, "");
  const expected = made;
  const passphrase = typed("keep-passphrase");
  const chosen = control("keep-file", HTMLInputElement).files?.[0];
  if (!expected || working) return;
  if (!chosen) return mark("keep-file", sentence("keep_missing"));
  // One that is gone by now cannot be read.
  const read = chosen.size === expected.length ? await chosen.arrayBuffer().catch(() => []) : [];
  if (made !== expected) return; // Left meanwhile.
  const file = new Uint8Array(read);
  if (!expected.every((byte, at) => byte === file[at])) return mark("keep-file", sentence("keep_other"));
  if (passphrase === "") return mark("keep-passphrase", sentence("passphrase_missing"));
  const all = await work("keep", "unlocking", (report) => unlock(file, passphrase, report));
  if (!all) return;
  takeUp(file, all);
  made = null;
  await showNext();
}

/**
 * What comes of a form's work, whose progress is shown; null where the passphrase is another, which it then
 * says, and where the journalist has left meanwhile.
 * @template T
 * @param {Form} form
 * @param {"making" | "unlocking"} said
 * @param {(report: (share: number) => void) => Promise<T>} action
 * @returns {Promise<T | null>}
 */
async function work(form, said, action) {
  const own = {};
  const bar = control(`${form}-bar`, HTMLProgressElement);
  const report = (/** @type {number} */ share) => {
    if (working !== own) throw new Error("left");
    showShare(bar, said, share);
  };
  working = own;
  bar.hidden = false;
  try {
    const done = await action(report);
    if (working !== own) return null;
    end(form);
    control(form, HTMLFormElement).reset();
    return done;
  } catch (error) {
    if (working !== own) return null;
    end(form);
    if (!(error instanceof BadIdentity && error.reason === "passphrase")) throw error;
    mark(`${form}-passphrase`, sentence("passphrase_wrong"));
    return null;
  }
}

/** @param {Form} form */
function end(form) {
  working = null;
  element(`${form}-bar`).hidden = true;
  announce("");
}

/** Says what is to become of the new identity, which no edition lists yet. */
async function showNext() {
  if (!session.desk) return;
  const { name, journalist } = session.desk;
  const { number } = await publicFile(name, journalist.inFile);
  announce("");
  element("next-pub").textContent = sentence("next_pub", { file: `${name}.pub` });
  element("next-number").textContent = number;
  element("next-save").textContent = sentence("file_save", { file: `${name}.pub` });
  show("next");
}

/** @param {string} field */
function typed(field) {
  return control(field, HTMLInputElement).value;
}
