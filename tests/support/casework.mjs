// The page's casework, asked line by line on standard input, each line answered with one:
// {"statement": anything} with whether a note may say it, {"messages", "notes", "partners"} (as the vectors
// of a case have them) with where the case stands, {"edition", "name", "entries", "passed"} with what that
// desk passes on, and to whom.

import { createInterface } from "node:readline";
import { isCase } from "../../site/scripts/desk-casework.js";
import { owed } from "../../site/scripts/desk-passing.js";
import { newState } from "../../site/scripts/desk-state.js";
import { standing } from "./casework-standing.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  console.log(JSON.stringify(answerTo(job)));
}

function answerTo(job) {
  if ("statement" in job) return isCase({ after: [], says: [job.statement] });
  return "entries" in job ? owedBy(job) : standing(job);
}

function owedBy({ edition, name, entries, passed }) {
  const state = newState();
  for (const entry of entries) state.entries.set(entry.id, entry);
  state.passed = new Map(Object.entries(passed));
  return owed({ edition, name, state }).map(({ entry, to }) => [entry.id, to]);
}
