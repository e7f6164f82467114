// A saved state of desk.html with many threads, from a JSON job on standard input:
// {"identity": "AGE-SECRET-KEY-PQ-1…", "newsroom": "id", "threads": 2000}; prints the file in base64.

import { randomBytes } from "node:crypto";
import { json } from "node:stream/consumers";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { newState, sealState } from "../../site/scripts/desk-state.js";

const { identity, newsroom, threads } = await json(process.stdin);
const hex = (count) => randomBytes(count).toString("hex");
const state = newState();
for (let at = 0; at < threads; at++) {
  const head = { version: 1, kind: "drop", newsroom, message: hex(16), thread: hex(32), language: "en" };
  const letter = { ...head, to: ["ada", "bo"], answers: { evidence: "Papers" }, read: [] };
  const text = `Thread ${at}\n${"What happened, when and where. ".repeat(40)}`;
  const id = head.message;
  const rest = { files: [{ name: "a.txt", size: 10 }], note: "", forged: false, problem: "" };
  state.entries.set(id, { id, day: "2026-11-01", size: 20_000, letter, text, ...rest });
}
console.log(Buffer.from(await sealState(state, await journalistOf(identity))).toString("base64"));
