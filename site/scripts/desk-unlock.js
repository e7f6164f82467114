// Unlocking and locking: what a passphrase opens, and what stays while nobody is there.

import { bytesToHex } from "@noble/hashes/utils.js";
import { clearCase } from "./desk-case.js";
import { stopSyncing } from "./desk-fetching.js";
import { BadIdentity, LONGEST, acting, unlock } from "./desk-identity.js";
import { clearRotation } from "./desk-rotate.js";
import { edition, placeOf, session } from "./desk-session.js";
import { BadState, newState, openState, sealState } from "./desk-state.js";
import { announce, control, element, mark, sentence, show, showShare } from "./page.js";

/** @typedef {import("./desk-sync.js").Desk} Desk */

const identity = control("identity", HTMLInputElement);
const passphrase = control("passphrase", HTMLInputElement);
const saved = control("saved", HTMLInputElement);
const bar = control("bar", HTMLProgressElement);

/** @type {{state: Blob, sealed: Map<string, Blob>} | null} while locked */
let locked = null;

/** Unlocks with what the form holds, or says what is wrong; whether it did. */
export async function begin() {
  for (const field of ["identity", "passphrase", "saved"]) mark(field, "");
  if (!bar.hidden) return false; // Unlocking already.
  const chosen = identity.files?.[0];
  if (!locked && (!chosen || chosen.size > LONGEST)) {
    mark("identity", sentence(chosen ? "identity_wrong" : "identity_missing"));
    return false;
  }
  if (passphrase.value === "") {
    mark("passphrase", sentence("passphrase_missing"));
    return false;
  }
  bar.hidden = false;
  try {
    if (!locked) session.file = new Uint8Array((await chosen?.arrayBuffer()) ?? []);
    session.desk = await unlocked(passphrase.value);
    if (!session.desk) return false;
    control("unlock", HTMLFormElement).reset();
    locked = null;
    announce("");
    return true;
  } catch (error) {
    announce("");
    if (error instanceof BadState) mark("saved", sentence("saved_wrong"));
    else if (!(error instanceof BadIdentity)) throw error;
    else if (error.reason === "passphrase") mark("passphrase", sentence("passphrase_wrong"));
    else mark("identity", sentence("identity_wrong"));
    return false;
  } finally {
    bar.hidden = true;
  }
}

/**
 * The desk of whoever's file this is; null for one whom the page does not list, which it then says.
 * @param {string} typed
 * @returns {Promise<Desk | null>}
 */
async function unlocked(typed) {
  const all = await unlock(session.file, typed, (share) => showShare(bar, "unlocking", share));
  const one = all.find((each) => placeOf(each) >= 0);
  if (!one) {
    announce("");
    const ended = edition.former.find(({ signer }) => signer === bytesToHex(all[0].signer));
    const said = ended ? sentence("identity_ended", { day: ended.until }) : sentence("identity_unlisted");
    mark("identity", said);
    return null;
  }
  const place = placeOf(one);
  const journalist = acting(all, one);
  const kept = locked?.state ?? saved.files?.[0];
  const state = kept ? await openState(kept, journalist) : newState();
  const { name } = edition.recipients[place];
  return { edition, journalist, name, place, state, sealed: locked?.sealed ?? new Map() };
}

/**
 * Locks the page: what was opened goes, and what is to stay is sealed.
 * @param {string} said
 */
export async function lock(said) {
  const { desk } = session;
  if (!desk) return;
  const { state, journalist, sealed } = desk;
  session.desk = null;
  stopSyncing();
  for (const place of ["threads", "conversation", "problem-list"]) element(place).replaceChildren();
  control("reply", HTMLFormElement).reset();
  clearCase();
  clearRotation();
  locked = { state: new Blob([Uint8Array.from(await sealState(state, journalist))]), sealed };
  journalist.seed.fill(0);
  element("keys").hidden = true;
  element("kept").hidden = false;
  announce(said);
  show("unlock");
}
