// What the page remembers while it is open, and what it can save: sealed to its own journalist and signed by
// them, for anybody can seal to a journalist.

import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { isStatement } from "./desk-casework.js";
import { sha256Of } from "./desk-hash.js";
import { isLetter } from "./desk-letter.js";
import { open } from "./desk-reader.js";
import { inChunks, sealWhole } from "./drop.js";

const SIGNED = utf8ToBytes("knothole/v1/desk-page");
const SIGNATURE = 64;
const PIECE = 1024 * 1024;

/** A saved file is damaged, or another journalist's. */
export class BadState extends Error {}

/** @typedef {import("./desk-letter.js").Letter} Letter */

/**
 * @typedef {object} Entry a drop that is for this journalist, or one that is broken
 * @property {string} id
 * @property {string} day YYYY-MM-DD
 * @property {number} size
 * @property {Letter | null} letter null for one that is broken, or that was sealed by hand
 * @property {string} text
 * @property {{name: string, size: number}[]} files
 * @property {string} note a note's own id, keys/FORMAT.md section 8; empty for a drop
 * @property {boolean} forged whether it is a note which its author did not sign
 * @property {boolean} late whether it is a note that came after the key which signed it had ended
 * @property {string} problem why it was not read; empty where it was
 * @property {number} plain the size of its plaintext; 0 where it was not read
 * @property {string} head its drop.json as it stands there
 * @property {string} signature a note's, in hex; empty for a drop
 */

/**
 * @typedef {object} OwnReply
 * @property {string} id 16 hex digits
 * @property {string} thread hex
 * @property {string[]} to
 * @property {string} language
 * @property {string} text
 * @property {string} day
 * @property {number[]} used every n it was posted under
 * @property {number[]} live the last of them
 * @property {boolean} recorded whether a note of `live` went to the colleagues
 */

/**
 * @typedef {object} Saying a statement of this journalist's that has not come back from the box
 * @property {string} thread hex
 * @property {import("./desk-casework.js").Statement} statement
 * @property {string[]} after the notes that were here when it was made
 * @property {string} note the one that it was sent in; empty where it was not
 */

/**
 * @typedef {object} State
 * @property {number} edition that of the last sync
 * @property {string} cursor
 * @property {Map<string, Entry>} entries by the drop's id, in order of arrival
 * @property {Map<string, string>} others the days of drops for somebody else
 * @property {Map<string, OwnReply>} replies
 * @property {Set<string>} shown drops that were looked at
 * @property {Map<string, {day: string, used: number}>} calls canaries, by thread key
 * @property {Map<string, string>} drafts by thread key, and of notes by what `noteDraft` makes of it
 * @property {Saying[]} says
 * @property {Map<string, string>} reads when messages were read here of which nobody was told
 * @property {Map<string, string[]>} passed to whom drops were passed on, by their id
 */

/** @returns {State} */
export function newState() {
  return {
    edition: 0,
    cursor: "",
    entries: new Map(),
    others: new Map(),
    replies: new Map(),
    shown: new Set(),
    calls: new Map(),
    drafts: new Map(),
    says: [],
    reads: new Map(),
    passed: new Map(),
  };
}

/**
 * Under what the draft of a note in a thread's case is kept.
 * @param {string} thread
 */
export function noteDraft(thread) {
  return `${thread} note`;
}

/**
 * @param {State} state
 * @param {string} thread
 */
export function inThread({ entries }, thread) {
  return [...entries.values()].filter(({ letter }) => letter?.thread === thread);
}

/**
 * Whether an entry is a note that only says what its author has read.
 * @param {Entry} entry
 */
export function isSilent({ letter, forged }) {
  const said = letter?.reply || forged ? undefined : letter?.case;
  return said !== undefined && said.says.every(({ says }) => says === "read");
}

/**
 * The ids of the replies that the thread's source has read.
 * @param {State} state
 * @param {string} thread
 */
export function readBy(state, thread) {
  const letters = inThread(state, thread).map(({ letter }) => letter);
  return new Set(letters.flatMap((letter) => (letter?.kind === "drop" ? letter.read : [])));
}

/**
 * Takes up what a note of this journalist's own says: a page that is new knows then what was posted.
 * @param {State} state
 * @param {Letter} letter
 * @param {string} text
 * @param {string} day
 */
export function learn(state, { reply, thread, to, language, case: said }, text, day) {
  const back = new Set(said?.says.map(({ id }) => id));
  state.says = state.says.filter(({ statement }) => !back.has(statement.id));
  if (!reply) return;
  const known = state.replies.get(reply.id);
  if (known && reply.lines.every((n) => known.used.includes(n))) return;
  const used = [...new Set([...(known?.used ?? []), ...reply.lines])];
  const first = known ?? { id: reply.id, thread, to, language, text, day };
  state.replies.set(reply.id, { ...first, used, live: reply.lines, recorded: true });
}

/**
 * The newest day of what came up to now; empty where nothing did.
 * @param {State} state
 */
export function newest({ entries, others }) {
  let last = "";
  for (const { day } of entries.values()) if (day > last) last = day;
  for (const day of others.values()) if (day > last) last = day;
  return last;
}

/**
 * Forgets what was forged, to be fetched once more and judged again: a newer edition may list who signed it.
 * @param {State} state
 * @param {number} edition the one that counts now
 */
export function judgeAgain(state, edition) {
  if (state.edition === edition) return;
  state.edition = edition;
  for (const [id, { forged }] of state.entries) {
    if (!forged) continue;
    state.entries.delete(id);
    state.cursor = "";
  }
}

/**
 * Drops what is only there to know a drop again that the box no longer has.
 * @param {State} state
 * @param {string} before a day
 */
export function forget({ others, calls }, before) {
  for (const [id, day] of others) if (day < before) others.delete(id);
  for (const [thread, { day }] of calls) if (day < before) calls.delete(thread);
}

/**
 * The state as a file that only its journalist opens.
 * @param {State} state
 * @param {{recipient: string, seed: Uint8Array}} journalist
 */
export async function sealState(state, { recipient, seed }) {
  const { edition, entries, replies, shown, others, calls, drafts, cursor, says, reads, passed } = state;
  const json = utf8ToBytes(
    JSON.stringify({
      version: 1,
      edition,
      cursor,
      entries: [...entries.values()].map((entry) => (entry.head ? { ...entry, letter: null } : entry)),
      replies: [...replies.values()],
      shown: [...shown],
      others: [...others],
      calls: [...calls],
      drafts: [...drafts],
      says,
      reads: [...reads],
      passed: [...passed],
    }),
  );
  // The browser is quick at this, and the cipher takes seconds for some MB without a JIT.
  const said = await through(new CompressionStream("gzip"), json);
  const signed = concatBytes(ed25519.sign(await signedPart(said), seed), said);
  return sealWhole(inChunks(signed), [""], [{ name: "", recipient }]);
}

/**
 * The state that was saved. Throws BadState for anything that this journalist did not save.
 * @param {Blob} sealed
 * @param {{identities: readonly string[], signers: readonly Uint8Array[]}} journalist
 * @returns {Promise<State>}
 */
export async function openState(sealed, { identities, signers }) {
  try {
    const plain = await open(sealed, identities, 0);
    const signature = await plain.upTo(SIGNATURE);
    const pieces = [];
    for (let piece = await plain.some(PIECE); piece.length > 0; piece = await plain.some(PIECE)) {
      pieces.push(piece);
    }
    const said = concatBytes(...pieces);
    const signed = await signedPart(said);
    if (!signers.some((signer) => ed25519.verify(signature, signed, signer))) throw new BadState();
    const json = await through(new DecompressionStream("gzip"), said);
    return stateFrom(JSON.parse(new TextDecoder().decode(json)));
  } catch {
    throw new BadState("a saved file is damaged, or another's");
  }
}

/**
 * @param {GenericTransformStream} stream
 * @param {Uint8Array} bytes
 */
async function through(stream, bytes) {
  const made = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(made).arrayBuffer());
}

/**
 * What a saved state's signature is made over: a hash, for the browser makes that one itself.
 * @param {Uint8Array} said
 */
async function signedPart(said) {
  return concatBytes(SIGNED, await sha256Of(Uint8Array.from(said)));
}

/**
 * @param {any} said by this page, some time ago
 * @returns {State}
 */
function stateFrom(said) {
  const { version, edition, cursor, entries, replies, shown, others, calls, drafts, says, reads } = said;
  const { passed } = said;
  for (const entry of entries) if (entry.head) entry.letter = JSON.parse(entry.head);
  const letters = entries.map((/** @type {Entry} */ { letter }) => letter).filter(Boolean);
  const statements = says.map((/** @type {Saying} */ { statement }) => statement);
  const right = letters.every(isLetter) && statements.every(isStatement);
  if (version !== 1 || !right) throw new BadState();
  return {
    edition,
    cursor,
    entries: new Map(entries.map((/** @type {Entry} */ entry) => [entry.id, entry])),
    replies: new Map(replies.map((/** @type {OwnReply} */ reply) => [reply.id, reply])),
    shown: new Set(shown),
    others: new Map(others),
    calls: new Map(calls),
    drafts: new Map(drafts),
    says,
    reads: new Map(reads),
    passed: new Map(passed),
  };
}
