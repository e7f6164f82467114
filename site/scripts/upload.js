// A drop's way to the relay, relay/PROTOCOL.md: its parts, three at a time, then the commit.

import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { PART } from "./drop.js";
import { request } from "./http.js";

const IN_FLIGHT = 3;

/**
 * @typedef {object} Progress
 * @property {number} done bytes that the relay has acknowledged
 * @property {number} total
 * @property {boolean} waiting whether the last thing heard was nothing
 * @property {boolean} committing whether the drop may be in the newsroom's hands from now on
 */

/**
 * @typedef {object} Upload
 * @property {string} [base] the relay's address, none in the page it serves
 * @property {AsyncGenerator<Uint8Array>} parts each is asked for once and kept until it is acknowledged
 * @property {number} size of all parts
 * @property {AbortSignal} signal what cancels
 * @property {(progress: Progress) => void} report
 * @property {import("./http.js").Timing} [timing]
 */

/**
 * The drop's id once the relay has it durably. Throws what making a part throws, Refused, or the signal's
 * reason; a lost connection is waited out.
 * @param {Upload} job
 */
export async function upload({ base = "", parts, size, signal, report, timing }) {
  const id = bytesToHex(randomBytes(16));
  const drop = `${base}/drops/${id}`;
  const count = Math.ceil(size / PART);
  const progress = { done: 0, total: size, waiting: false, committing: false };
  const stop = new AbortController();
  const persistence = {
    signal: AbortSignal.any([signal, stop.signal]),
    waiting: () => report(Object.assign(progress, { waiting: true })),
    timing,
  };

  /**
   * @param {string} method
   * @param {string} url
   * @param {Uint8Array<ArrayBuffer>} body
   * @param {number} wanted
   */
  const send = async (method, url, body, wanted) => {
    await request(url, { method, body }, body.length, wanted, persistence);
    progress.waiting = false;
  };

  let next = 0;
  const carry = async () => {
    for (let { done, value } = await parts.next(); !done; { done, value } = await parts.next()) {
      const n = next++; // Parts come one after another, whoever asked.
      persistence.signal.throwIfAborted();
      const part = /** @type {Uint8Array<ArrayBuffer>} */ (value);
      if (count > 1) await send("PUT", `${drop}/${n}`, part, 204);
      else {
        report(Object.assign(progress, { committing: true }));
        await send("PUT", `${drop}/0?commit`, part, 201);
      }
      progress.done += part.length;
      report(progress);
    }
  };

  try {
    report(progress);
    await together(Array.from({ length: IN_FLIGHT }, carry), stop);
  } finally {
    await parts.return(undefined);
  }
  if (count > 1) {
    report(Object.assign(progress, { committing: true }));
    const commit = new TextEncoder().encode(JSON.stringify({ parts: count, size }));
    await send("POST", drop, commit, 201);
  }
  return id;
}

/**
 * Waits for all; the first to fail stops the others and is what is thrown.
 * @param {Promise<void>[]} workers
 * @param {AbortController} stop
 */
async function together(workers, stop) {
  /** @type {unknown[]} */
  const failures = [];
  await Promise.all(
    workers.map((worker) =>
      worker.catch((error) => {
        failures.push(error);
        stop.abort(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
