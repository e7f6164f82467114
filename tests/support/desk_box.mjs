// Desks of desk.html and a box between them, without a network.

import { randomBytes } from "node:crypto";
import { Cases } from "../../site/scripts/desk-cases.js";
import { read } from "../../site/scripts/desk-drop.js";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { open } from "../../site/scripts/desk-reader.js";
import { newState } from "../../site/scripts/desk-state.js";
import { takeIn } from "../../site/scripts/desk-sync.js";
import { note, tellAgain } from "../../site/scripts/desk-telling.js";
import { inChunks, seal, sealWhole } from "../../site/scripts/drop.js";
import { sumsOf } from "../../site/scripts/file.js";
import { library } from "./vectors.mjs";

const { generateHybridIdentity } = library("age-encryption");

export const TODAY = "2026-11-22";
export const names = ["ada", "bea", "cyn"];
export const people = await Promise.all(names.map(async () => journalistOf(await generateHybridIdentity())));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const recipients = people.map(({ recipient, signer }, at) => {
  return { name: names[at], title: names[at], recipient, signer: hex(signer) };
});
const terms = { drop_bytes: 1 << 30, board_lines: 64, board_post: 4, retention_days: 30 };
const about = { newsroom: "5d41402abc4b2a76", edition: 1, language: "en" };
export const edition = { ...about, recipients, partners: [], former: [], terms };

export function desk(name, state = newState()) {
  const place = names.indexOf(name);
  return { edition, journalist: people[place], name, place, state, sealed: new Map() };
}

/** A box: what lies in it, each under an id. */
export class Box {
  drops = [];

  put(sealed) {
    this.drops.push({ listed: { id: hex(randomBytes(16)), size: sealed.length, day: TODAY }, sealed });
    return this.drops.at(-1).listed.id;
  }

  async fill(at) {
    for (const { listed, sealed } of this.drops) {
      if (at.state.entries.has(listed.id) || at.state.others.has(listed.id)) continue;
      await takeIn(at, listed, new Blob([sealed])).catch(({ reason }) => {
        at.state.entries.set(listed.id, { ...listed, letter: null, text: "", files: [], problem: reason });
      });
    }
    tellAgain(at);
  }
}

export async function fromSource(thread, to, text = "It began in March.", content = null) {
  const letter = { newsroom: edition.newsroom, language: "nl", thread, to, answers: {}, read: [] };
  const file = content && new File([content], "big.bin");
  const files = file ? [{ name: "big.bin", file, sums: sumsOf(file) }] : [];
  const parts = [];
  for await (const part of seal({ ...letter, text, files }, recipients)) parts.push(part);
  return Buffer.concat(parts);
}

/** One sync of a desk, without a board. */
export async function sync(at, box) {
  await box.fill(at);
  const { sealed, sent } = await note(at);
  sent();
  return { id: box.put(sealed), size: sealed.length, sealed: new Blob([sealed]) };
}

export const opened = (sealed, name) => {
  const place = names.indexOf(name);
  return read(sealed, { ...people[place], place });
};
export const texts = (at, thread) => new Cases(at).of(thread).history.map(({ statement: { text } }) => text);

/** A box with a drop of a source's to ada and bea, and their desks once they have it. */
export async function newsroom() {
  const [box, key] = [new Box(), randomBytes(32)];
  box.put(await fromSource(key, ["ada", "bea"]));
  const [ada, bea] = [desk("ada"), desk("bea")];
  await box.fill(ada);
  await box.fill(bea);
  return { box, ada, bea, thread: hex(key) };
}

export async function plaintext(sealed, name) {
  const place = names.indexOf(name);
  const reader = await open(sealed, people[place].identities, place);
  return Buffer.from(await reader.upTo(1 << 24));
}

export function sealedTo(plain, ...to) {
  return sealWhole(inChunks(new Uint8Array(plain)), to, recipients);
}
