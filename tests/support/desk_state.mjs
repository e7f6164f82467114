// A saved state of desk.html with many threads, from a JSON job on standard input:
// {"identity": "AGE-SECRET-KEY-PQ-1…", "newsroom": "id", "threads": 2000}; prints the file in base64.

import { randomBytes, randomInt } from "node:crypto";
import { json } from "node:stream/consumers";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { newState, sealState } from "../../site/scripts/desk-state.js";
import { library } from "./vectors.mjs";

const { wordlist } = library("@scure/bip39/wordlists/english.js");

const { identity, newsroom, threads } = await json(process.stdin);
const hex = (count) => randomBytes(count).toString("hex");
const state = newState();
for (let at = 0; at < threads; at++) {
  const head = { version: 1, kind: "drop", newsroom, message: hex(16), thread: hex(32), language: "en" };
  const letter = { ...head, to: ["ada", "bo"], answers: { evidence: "Papers" }, read: [] };
  const text = `Thread ${at}\n${Array.from({ length: 200 }, () => wordlist[randomInt(2048)]).join(" ")}`;
  const id = head.message;
  const read = { plain: 16_384, head: JSON.stringify(letter), signature: "" };
  const rest = { files: [{ name: "a.txt", size: 10 }], note: "", forged: false, late: false, problem: "" };
  state.entries.set(id, { id, day: "2026-11-01", size: 20_000, letter, text, ...rest, ...read });
}
console.log(Buffer.from(await sealState(state, await journalistOf(identity))).toString("base64"));
