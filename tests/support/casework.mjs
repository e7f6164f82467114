// The page's casework, asked line by line on standard input, each line answered with one:
// {"statement": anything} with whether a note may say it, {"messages", "notes", "partners"} (as the vectors
// of a case have them) with where the case stands.

import { createInterface } from "node:readline";
import { isCase } from "../../site/scripts/desk-casework.js";
import { standing } from "./casework-standing.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const answer = "statement" in job ? isCase({ after: [], says: [job.statement] }) : standing(job);
  console.log(JSON.stringify(answer));
}
