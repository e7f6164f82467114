// The cases of a desk, as the command line's keys/desk/casework/cases.py has them: where each stands, and
// what its journalist says in one.

import { fold } from "./desk-casefold.js";
import { MOST, MOST_AFTER, now, statement } from "./desk-casework.js";

/** Stands for the note that statements will be sent in, and sorts behind every id. */
export const WAITING = "~";

/** @typedef {import("./desk-casefold.js").Case} Case */
/** @typedef {import("./desk-casefold.js").Message} Message */
/** @typedef {import("./desk-casefold.js").Note} Note */
/** @typedef {import("./desk-casefold.js").Read} Read */
/** @typedef {import("./desk-casework.js").Statement} Statement */
/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-state.js").Saying} Saying */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/** The cases as they were when this was made. */
export class Cases {
  #desk;
  /** @type {Map<string, Message[]>} */
  #messages = new Map();
  /** @type {Map<string, Note[]>} */
  #notes = new Map();
  /** @type {Map<string, Case>} */
  #folded = new Map();
  /** @type {Map<string, Read[]> | null} */
  #reads = null;

  /** @param {Desk} desk */
  constructor(desk) {
    this.#desk = desk;
    for (const entry of desk.state.entries.values()) this.#add(entry);
    for (const { thread, id, after, statements: says } of groupsOf(desk.state.says)) {
      const before = id === WAITING ? this.after(thread, after) : after;
      into(this.#notes, thread, { id, author: desk.name, said: { after: before, says } });
    }
  }

  /** @param {Entry} entry */
  #add({ letter, forged, late, note, day }) {
    if (!letter || forged) return;
    const { thread, message: id, to, author, case: said } = letter;
    if (letter.kind === "drop") into(this.#messages, thread, { id, day, to });
    else if (said && author) into(this.#notes, thread, { id: note, author, said, late });
  }

  /**
   * A case as this journalist sees it, what waits to be sent among it.
   * @param {string} thread
   */
  of(thread) {
    const folded = this.#folded.get(thread) ?? this.#fold(thread, this.#of(thread));
    this.#folded.set(thread, folded);
    return folded;
  }

  /**
   * Whether what a drop or note says may be taken for its author's word.
   * @param {Entry} entry
   */
  believes({ letter, forged, late, note }) {
    if (forged || !late) return !forged;
    return letter?.case !== undefined && !this.of(letter.thread).refused.some(({ id }) => id === note);
  }

  /**
   * A case without what waits to be sent.
   * @param {string} thread
   */
  sent(thread) {
    return this.#fold(thread, this.#of(thread).filter(({ id }) => id !== WAITING));
  }

  /**
   * What a note comes after whose author had these when speaking: always one's own last, too.
   * @param {string} thread
   * @param {readonly string[]} heads
   */
  after(thread, heads) {
    const { name } = this.#desk;
    const sent = this.#of(thread).filter(({ id, late }) => id !== WAITING && !late);
    const mine = sent.filter(({ author }) => author === name);
    const followed = new Set(mine.flatMap(({ said }) => said.after));
    const last = mine.filter(({ id }) => !followed.has(id));
    const ids = last.map(({ id }) => id).sort();
    const before = new Set([...ids, ...last.flatMap(({ said }) => said.after)]);
    const others = heads.filter((id) => !before.has(id)).toSorted();
    return [...ids, ...others].slice(0, MOST_AFTER).sort();
  }

  /**
   * Whom a note of this case is sealed to: its readers whom the page lists.
   * @param {string} thread
   */
  to(thread) {
    const { edition, name } = this.#desk;
    const { readers } = this.of(thread);
    return edition.recipients.map((one) => one.name).filter((one) => readers.has(one) || one === name);
  }

  /**
   * The statements of this kind that this journalist has made, each with its thread.
   * @param {string} says
   * @returns {{thread: string, statement: Statement}[]}
   */
  mine(says) {
    const { name } = this.#desk;
    return [...this.#notes].flatMap(([thread, notes]) => {
      const own = notes.filter(({ author, late }) => author === name && !late);
      const said = own.flatMap((note) => note.said.says.filter((one) => one.says === says));
      return said.map((one) => ({ thread, statement: one }));
    });
  }

  /** @param {string} thread */
  #of(thread) {
    return this.#notes.get(thread) ?? [];
  }

  /**
   * @param {string} thread
   * @param {readonly Note[]} notes
   */
  #fold(thread, notes) {
    const messages = this.#messages.get(thread) ?? [];
    const all = this.#allReads();
    const reads = messages.flatMap(({ id }) => all.get(id) ?? []);
    return fold(messages, notes, this.#desk.edition.partners, reads);
  }

  /** Who said to have read which message, by message. */
  #allReads() {
    if (this.#reads) return this.#reads;
    const { name, state } = this.#desk;
    // A late one may have been made yesterday, and a read is no loss.
    const notes = [...this.#notes.values()].flat().filter(({ late }) => !late);
    const said = notes.flatMap(({ author, said: { says } }) => {
      return says.filter((one) => one.says === "read").map((one) => ({ author, statement: one }));
    });
    said.push(...reading(state.reads).map((one) => ({ author: name, statement: one })));
    this.#reads = new Map();
    for (const read of said) for (const id of read.statement.messages) into(this.#reads, id, read);
    return this.#reads;
  }
}

/**
 * Remembers a statement, to be sent with the next sync. Refuses (RangeError) what no reader would take, and
 * anything by a journalist who has no part in the case.
 * @param {Desk} desk
 * @param {string} thread
 * @param {string} says
 * @param {Readonly<Record<string, unknown>>} more
 */
export function say(desk, thread, says, more) {
  const { readers, heads } = new Cases(desk).sent(thread);
  if (!readers.has(desk.name)) throw new RangeError("only readers of a case speak in it");
  desk.state.says.push({ thread, statement: statement(now(), says, more), after: heads, note: "" });
}

/**
 * Remembers to tell colleagues that this journalist has read these drops, where they were not told yet.
 * @param {Desk} desk
 * @param {readonly Entry[]} entries
 */
export function haveRead(desk, entries) {
  const { state, name } = desk;
  const cases = new Cases(desk);
  for (const { letter } of entries) {
    if (letter?.kind !== "drop") continue;
    const { reads } = cases.of(letter.thread);
    if (!reads.get(letter.message)?.has(name)) state.reads.set(letter.message, now());
  }
}

/**
 * The statements that these messages were read, each at its time.
 * @param {ReadonlyMap<string, string>} reads
 */
export function reading(reads) {
  const times = Map.groupBy(reads.keys(), (message) => reads.get(message) ?? "");
  return [...times].flatMap(([time, messages]) => {
    const starts = [...Array(Math.ceil(messages.length / MOST)).keys()].map((at) => at * MOST);
    return starts.map((at) => statement(time, "read", { messages: messages.slice(at, at + MOST) }));
  });
}

/**
 * What was said here as the notes it was sent in, and then as those it will be.
 * @param {readonly Saying[]} says
 */
function groupsOf(says) {
  const groups = Map.groupBy(says, ({ thread, note }) => `${thread} ${note || WAITING}`);
  const made = [...groups.values()].map((group) => {
    const { thread, note, after } = group[group.length - 1];
    return { thread, id: note || WAITING, after, statements: group.map((one) => one.statement) };
  });
  return [...made.filter(({ id }) => id !== WAITING), ...made.filter(({ id }) => id === WAITING)];
}

/**
 * @template T
 * @param {Map<string, T[]>} lists
 * @param {string} key
 * @param {T} item
 */
function into(lists, key, item) {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
