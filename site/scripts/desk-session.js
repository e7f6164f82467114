// What the page holds while it is open. One desk at a time, and none while it is locked.

import { bytesToHex } from "@noble/hashes/utils.js";
import { acting } from "./desk-identity.js";
import { edition as data } from "./page.js";

/** @typedef {import("./desk-identity.js").Journalist} Journalist */

export const edition = /** @type {import("./desk-sync.js").DeskEdition} */ (/** @type {unknown} */ (data));

/**
 * @typedef {object} Session
 * @property {import("./desk-sync.js").Desk | null} desk while it is unlocked
 * @property {Uint8Array<ArrayBuffer>} file the identity file, as it is locked
 * @property {boolean} unsaved whether there is something that a closed page would lose
 */

/** @type {Session} */
export const session = { desk: null, file: new Uint8Array(), unsaved: false };

/**
 * Where the page lists this identity; -1 where it does not.
 * @param {Journalist} journalist
 */
export function placeOf({ recipient, signer }) {
  const own = bytesToHex(signer);
  return edition.recipients.findIndex((one) => one.recipient === recipient && one.signer === own);
}

/**
 * Goes on with another file of the same journalist: it acts with the identity that it acted with, and opens
 * with all of them. Throws for a file without that identity.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {readonly Journalist[]} all what is in it
 */
export function takeUp(file, all) {
  const { desk } = session;
  const one = all.find(({ recipient }) => recipient === desk?.journalist.recipient);
  if (!desk || !one) throw new Error("the file is another's");
  const { identities, signers, inFile, seed } = acting(all, one);
  seed.fill(0); // The desk has it.
  desk.journalist = { ...desk.journalist, identities, signers, inFile };
  session.file = file;
}
