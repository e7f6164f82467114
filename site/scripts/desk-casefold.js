// The state of a case, folded from what its readers said, keys/FORMAT.md section 8. Pure: the same notes
// give the same state, in whatever order they came.

import { ITEMS, MOST_AFTER } from "./desk-casework.js";

/** @typedef {import("./desk-casework.js").Statement} Statement */
/** @typedef {{id: string, day: string, to: readonly string[]}} Message a drop of the source's */
/** @typedef {import("./desk-casework.js").Said} Said */
/** @typedef {{id: string, author: string, said: Said, late?: boolean}} Note one whose signature holds */
/** @typedef {{author: string, note: string, statement: Statement}} Spoken */
/** @typedef {{id: string, text: string, author: string, to: string, done: boolean}} Task */
/** @typedef {{name: string, recipients: readonly string[]}} Partner */
/** @typedef {{author: string, statement: Statement}} Read a `read`, in whichever thread it was said */

/**
 * @typedef {object} Case what is agreed about a case
 * @property {Message[]} messages
 * @property {Set<string>} readers
 * @property {Spoken[]} history
 * @property {Spoken | null} state the last word on it, as on the date and exclusivity
 * @property {string} stands the name of its state
 * @property {Task[]} tasks
 * @property {Map<string, string>} checks
 * @property {string[]} labels
 * @property {Spoken | null} date
 * @property {string} planned the date of publication that is proposed, if one is
 * @property {string[]} outlets
 * @property {Map<string, Spoken>} answers each outlet's last word on the proposed date
 * @property {boolean} agreed
 * @property {Spoken | null} exclusive
 * @property {Map<string, Map<string, string>>} reads when each reader first read each message
 * @property {Note[]} refused notes of nobody's who may read it
 * @property {Set<string>} missing ids of notes that others had and that are not here
 * @property {string[]} heads the notes that a new one comes after
 */

/**
 * The case of a thread.
 * @param {readonly Message[]} messages its source's drops
 * @param {readonly Note[]} notes of it
 * @param {readonly Partner[]} partners the edition's
 * @param {readonly Read[]} reads said in any thread
 * @returns {Case}
 */
export function fold(messages, notes, partners, reads) {
  const known = new Map(notes.map((note) => [note.id, note]));
  const { readers, counted } = countedOf(messages, known);
  const depths = depthsOf(counted);
  const named = new Set([...counted.values()].flatMap(({ said }) => said.after));
  const heads = [...counted.keys()].filter((id) => !named.has(id));
  heads.sort((a, b) => depthIn(depths, b) - depthIn(depths, a) || byText(a, b));
  const history = inOrder(counted, depths);
  return {
    messages: messages.toSorted((a, b) => byText(a.day, b.day) || byText(a.id, b.id)),
    readers,
    history,
    ...told(history, outletsOf(partners, readers)),
    reads: readsOf(messages, readers, reads),
    refused: [...known.values()].filter(({ id }) => !counted.has(id)).sort((a, b) => byText(a.id, b.id)),
    missing: new Set([...named].filter((id) => !known.has(id))),
    heads: heads.slice(0, MOST_AFTER).sort(),
  };
}

/**
 * The readers, and the notes that count: each makes more of the other, until nothing is added.
 * @param {readonly Message[]} messages
 * @param {ReadonlyMap<string, Note>} known
 */
function countedOf(messages, known) {
  const readers = new Set(messages.flatMap(({ to }) => to));
  const counted = new Set();
  const named = new Set();
  for (let before = -1; before < counted.size; ) {
    before = counted.size;
    for (const { id, author, late, said } of known.values()) {
      if (counted.has(id) || !readers.has(author) || (late && !named.has(id))) continue;
      counted.add(id);
      for (const one of said.after) named.add(one);
      for (const one of said.says) if (one.says === "widen") for (const name of one.to) readers.add(name);
    }
  }
  return { readers, counted: new Map([...known].filter(([id]) => counted.has(id))) };
}

/**
 * Each note's depth. Ids are hashes, so no note can come after itself.
 * @param {ReadonlyMap<string, Note>} notes
 */
function depthsOf(notes) {
  const depths = new Map();
  for (const first of notes.keys()) {
    const waiting = [first];
    while (waiting.length > 0) {
      const id = waiting[waiting.length - 1];
      const before = (notes.get(id)?.said.after ?? []).filter((one) => notes.has(one));
      const unknown = before.filter((one) => !depths.has(one));
      if (unknown.length > 0) {
        waiting.push(...unknown);
      } else {
        depths.set(id, 1 + Math.max(0, ...before.map((one) => depths.get(one))));
        waiting.pop();
      }
    }
  }
  return depths;
}

/**
 * @param {ReadonlyMap<string, Note>} notes
 * @param {ReadonlyMap<string, number>} depths
 */
function inOrder(notes, depths) {
  const placed = [...notes.values()].flatMap(({ id, author, said }) => {
    return said.says.map((one, place) => {
      return { depth: depthIn(depths, id), place, spoken: { author, note: id, statement: one } };
    });
  });
  placed.sort(
    (a, b) =>
      a.depth - b.depth ||
      byText(a.spoken.statement.time, b.spoken.statement.time) ||
      byText(a.spoken.note, b.spoken.note) ||
      a.place - b.place,
  );
  const seen = new Set();
  return placed.flatMap(({ spoken }) => {
    const key = `${spoken.statement.id} ${spoken.author}`;
    if (seen.has(key)) return []; // The same, said again.
    seen.add(key);
    return spoken;
  });
}

/**
 * @param {readonly Partner[]} partners
 * @param {ReadonlySet<string>} readers
 */
function outletsOf(partners, readers) {
  if (partners.length === 0) return [{ name: "", journalists: [...readers] }].filter(() => readers.size > 0);
  return partners
    .map(({ name, recipients }) => ({ name, journalists: recipients.filter((one) => readers.has(one)) }))
    .filter(({ journalists }) => journalists.length > 0);
}

/**
 * What was said so far, statement by statement: the last word wins.
 * @param {readonly Spoken[]} history
 * @param {readonly {name: string, journalists: readonly string[]}[]} outlets
 */
function told(history, outlets) {
  /** @type {Record<"state" | "date" | "exclusive", Spoken | null>} */
  const last = { state: null, date: null, exclusive: null };
  /** @type {Map<string, string>} */
  const checks = new Map(ITEMS.map((item) => [item, "unknown"]));
  const labels = new Set();
  /** @type {Map<string, Map<string, Spoken>>} */
  const answers = new Map();
  for (const spoken of history) {
    const { author, statement: one } = spoken;
    if (one.says === "state") last.state = spoken;
    else if (one.says === "check") checks.set(one.item, one.is);
    else if (one.says === "label" && one.set) labels.add(one.label);
    else if (one.says === "label") labels.delete(one.label);
    else if (one.says === "exclusive") last.exclusive = one.partner ? spoken : null;
    else if (["date", "accept", "object"].includes(one.says)) {
      if (one.says === "date") last.date = spoken;
      const said = answers.get(one.date) ?? new Map();
      for (const { name, journalists } of outlets) if (journalists.includes(author)) said.set(name, spoken);
      answers.set(one.date, said);
    }
  }
  const planned = last.date?.statement.date ?? "";
  const now = (planned && answers.get(planned)) || new Map();
  const accepts = (/** @type {string} */ name) => now.has(name) && now.get(name).statement.says !== "object";
  const names = outlets.map(({ name }) => name);
  return {
    ...last,
    stands: last.state?.statement.state ?? "new",
    tasks: tasksOf(history),
    checks,
    labels: [...labels].sort(),
    planned,
    outlets: names,
    answers: now,
    agreed: planned !== "" && names.length > 0 && names.every(accepts),
  };
}

/** @param {readonly Spoken[]} history @returns {Task[]} */
function tasksOf(history) {
  /** @type {Spoken[]} */
  const made = [];
  /** @type {Map<string, string>} */
  const forWhom = new Map();
  const done = new Map();
  for (const spoken of history) {
    const one = spoken.statement;
    if (one.says === "task") {
      made.push(spoken);
      forWhom.set(one.id, one.to);
    } else if (one.says === "assign") forWhom.set(one.task, one.to);
    else if (one.says === "done") done.set(one.task, one.done);
    else if (one.says === "handover") {
      for (const [task, to] of forWhom) if (to === one.from && !done.get(task)) forWhom.set(task, one.to);
    }
  }
  return made.map(({ author, statement: { id, text } }) => {
    return { id, text, author, to: forWhom.get(id) ?? "", done: done.get(id) ?? false };
  });
}

/**
 * @param {readonly Message[]} messages
 * @param {ReadonlySet<string>} readers
 * @param {readonly Read[]} reads
 */
function readsOf(messages, readers, reads) {
  const wanted = new Set(messages.map(({ id }) => id));
  /** @type {Map<string, Map<string, string>>} */
  const found = new Map();
  for (const { author, statement: one } of reads) {
    if (!readers.has(author)) continue;
    for (const id of one.messages.filter((/** @type {string} */ message) => wanted.has(message))) {
      const times = found.get(id) ?? new Map();
      const first = times.get(author) ?? one.time;
      found.set(id, times.set(author, one.time < first ? one.time : first));
    }
  }
  return found;
}

/**
 * @param {ReadonlyMap<string, number>} depths
 * @param {string} id
 */
function depthIn(depths, id) {
  return depths.get(id) ?? 0;
}

/** Ids, times and days are ASCII: as text they sort as bytes. @param {string} a @param {string} b */
function byText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
