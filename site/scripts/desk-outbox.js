// Replies going out, keys/FORMAT.md sections 4 and 5, by the command line's rules: queued, and posted as
// lines under fresh n.

import { bytesToHex, concatBytes, hexToBytes, randomBytes } from "@noble/hashes/utils.js";
import { dayAfter } from "./desk-days.js";
import { LINES, LONGEST, PARTS, cover, measureReply, sealReply } from "./desk-line.js";
import { readBy } from "./desk-state.js";
import { LINE, framesOn, labelFor } from "./line.js";

// Posting again stops here, so that a source who does not come back leaves n for replies still to be written.
const LAST_REPOST = 192;
// A canary is answered so often at most, and for a week.
const ANSWERS = 3;
const ANSWER_DAYS = 7;
// Lines in the board's oldest quarter are posted again: no source comes between two syncs and finds none.
const OLD = 4;

/** @typedef {import("./desk-state.js").Entry} Entry */
/** @typedef {import("./desk-state.js").OwnReply} OwnReply */
/** @typedef {import("./desk-sync.js").Desk} Desk */

/**
 * Whether a thread has used up its lines.
 * @param {Desk} desk
 * @param {string} thread
 */
export function isFull(desk, thread) {
  return lastUsed(desk, thread) + 1 + PARTS > LINES;
}

/**
 * The id of a reply to the source of a drop, which is remembered and posted at the next sync.
 * @param {Desk} desk
 * @param {import("./desk-letter.js").Letter} letter of the drop
 * @param {string} text
 * @param {string} today
 */
export function queue({ state, name, edition }, { to: chosen, thread, language }, text, today) {
  if (text.trim() === "" || measureReply(text).bytes > LONGEST) throw new RangeError("no reply is so long");
  const to = edition.recipients.map((one) => one.name).filter((one) => chosen.includes(one) || one === name);
  const id = bytesToHex(randomBytes(8));
  state.replies.set(id, {
    id,
    thread,
    to,
    language,
    text,
    day: today,
    used: [],
    live: [],
    recorded: false,
  });
  return id;
}

/**
 * Where a reply stands.
 * @param {Desk} desk
 * @param {OwnReply} reply
 * @param {string} today
 * @returns {"read" | "expired" | "posted" | "waiting"}
 */
export function condition({ state, edition }, { id, thread, day, live }, today) {
  if (readBy(state, thread).has(id)) return "read";
  if (dayAfter(day, edition.terms.retention_days) < today) return "expired";
  return live.length > 0 ? "posted" : "waiting";
}

/**
 * Exactly the lines that a sync posts: one reply that waits or leaves the board, if any, an answer to a
 * canary where there is room, and cover. The n they take are used from now on.
 * @param {Desk} desk
 * @param {Uint8Array} board
 * @param {string} today
 */
export async function post(desk, board, today) {
  const { state, edition } = desk;
  const lines = [];
  const next = await wanting(desk, board, today);
  if (next) {
    const { reply, first } = next;
    const ns = Array.from({ length: measureReply(reply.text).lines }, (_, i) => first + i);
    lines.push(...sealed(desk, reply.thread, ns, hexToBytes(reply.id), reply.text));
    state.replies.set(reply.id, { ...reply, used: [...reply.used, ...ns], live: ns, recorded: false });
  }
  const call = lines.length < edition.terms.board_post && unanswered(desk, board, today);
  if (call) {
    const [thread, { day, used }] = call;
    lines.push(...sealed(desk, thread, [used], randomBytes(8), "seen"));
    state.calls.set(thread, { day, used: used + 1 });
  }
  while (lines.length < edition.terms.board_post) lines.push(cover());
  return concatBytes(...lines);
}

/**
 * @param {Desk} desk
 * @param {string} thread
 * @param {readonly number[]} ns
 * @param {Uint8Array} id
 * @param {string} text
 */
function sealed({ journalist, edition }, thread, ns, id, text) {
  const { newsroom } = edition;
  return sealReply({ thread: hexToBytes(thread), newsroom, seed: journalist.seed, ns, id, text });
}

/**
 * The reply to post and the first n for it: a new one first, then one that leaves the board soon or has left.
 * @param {Desk} desk
 * @param {Uint8Array} board
 * @param {string} today
 */
async function wanting(desk, board, today) {
  const { state, journalist } = desk;
  const staying = labelsOn(board.subarray(Math.floor(board.length / LINE / OLD) * LINE));
  /** @type {{reply: OwnReply, first: number} | null} */
  let leaving = null;
  for (const reply of state.replies.values()) {
    const said = condition(desk, reply, today);
    if (said === "waiting") {
      const first = await firstUnused(desk, reply.thread, board);
      if (first + PARTS <= LINES) return { reply, first };
    }
    if (said !== "posted" || leaving) continue;
    const thread = hexToBytes(reply.thread);
    const stays = reply.live.every((n) => staying.has(bytesToHex(labelFor(thread, journalist.signer, n))));
    const first = stays ? LINES : await firstUnused(desk, reply.thread, board);
    if (first < LAST_REPOST) leaving = { reply, first };
  }
  return leaving;
}

/**
 * The first n never used in a thread, as far as this desk knows or the board shows.
 * @param {Desk} desk
 * @param {string} thread
 * @param {Uint8Array} board
 */
async function firstUnused(desk, thread, board) {
  const { journalist, edition } = desk;
  const frames = await framesOn(board, hexToBytes(thread), edition.newsroom, [journalist.signer]);
  return Math.max(lastUsed(desk, thread), ...frames.map(({ n }) => n)) + 1;
}

/**
 * @param {Desk} desk
 * @param {string} thread
 */
function lastUsed({ state }, thread) {
  const ours = [...state.replies.values()].filter((reply) => reply.thread === thread);
  return Math.max(-1, ...ours.flatMap(({ used }) => used));
}

/**
 * A canary of which nobody's answer is on the board.
 * @param {Desk} desk
 * @param {Uint8Array} board
 * @param {string} today
 */
function unanswered({ state, edition }, board, today) {
  const there = labelsOn(board);
  const signers = edition.recipients.map(({ signer }) => hexToBytes(signer));
  return [...state.calls].find(([thread, { day, used }]) => {
    if (used >= ANSWERS || dayAfter(day, ANSWER_DAYS) < today) return false;
    const key = hexToBytes(thread);
    const ns = [...Array(ANSWERS).keys()];
    return !signers.some((signer) => ns.some((n) => there.has(bytesToHex(labelFor(key, signer, n)))));
  });
}

/** @param {Uint8Array} lines */
function labelsOn(lines) {
  const labels = new Set();
  for (let at = 0; at < lines.length; at += LINE) labels.add(bytesToHex(lines.subarray(at, at + 16)));
  return labels;
}
