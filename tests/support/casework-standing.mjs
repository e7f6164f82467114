import { fold } from "../../site/scripts/desk-casefold.js";

/** Where a vector's case stands, as the vector has it. */
export function standing({ messages, notes, partners }) {
  const given = notes.map(({ after, says, ...more }) => ({ ...more, said: { after, says } }));
  const reads = notes.flatMap(({ author, says }) => {
    return says.filter((one) => one.says === "read").map((statement) => ({ author, statement }));
  });
  const outlets = Object.entries(partners).map(([name, recipients]) => ({ name, recipients }));
  const told = fold(messages, given, outlets, reads);
  const exclusive = told.exclusive?.statement;
  return {
    readers: [...told.readers].sort(),
    order: told.history.map(({ statement }) => statement.id),
    state: told.stands,
    reason: told.state?.statement.text ?? "",
    tasks: told.tasks,
    labels: told.labels,
    checks: Object.fromEntries(told.checks),
    date: told.planned,
    agreed: told.agreed,
    answers: Object.fromEntries(
      told.outlets.map((name) => [name, told.answers.get(name)?.statement.says ?? null]),
    ),
    exclusive: exclusive ? [exclusive.partner, exclusive.until] : null,
    reads: Object.fromEntries([...told.reads].map(([id, times]) => [id, Object.fromEntries(times)])),
    refused: told.refused.map(({ id }) => id),
    missing: [...told.missing].sort(),
    heads: told.heads,
  };
}
