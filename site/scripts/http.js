// Requests to the relay, repeated until they are answered. Firefox repeats one by itself when a kept-alive
// connection dies, so every request here may arrive twice, and relay/PROTOCOL.md makes each of them
// idempotent.

/** The relay gave no answer, or one that says to try again. */
class Unreachable extends Error {
  /** @param {boolean} stalled whether time ran out */
  constructor(stalled) {
    super("no answer from the relay");
    this.stalled = stalled;
  }
}

/** The relay's answer is final, and no success. */
export class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`the relay answered ${status}`);
    this.status = status;
  }
}

/** The tries that were granted are used up. */
export class GaveUp extends Error {}

/**
 * @typedef {object} Timing all in milliseconds; tests have shorter ones
 * @property {number} patience for an answer, beyond the time that the bytes take
 * @property {number} perKiB what a KiB may take: a part shares a slow circuit with two others
 * @property {number} longest patience grows to after repeated stalls
 * @property {number} pause before the first repetition, doubled for each
 * @property {number} longestPause
 */

/** @type {Timing} */
export const TIMING = {
  patience: 60_000,
  perKiB: 120,
  longest: 20 * 60_000,
  pause: 1_000,
  longestPause: 30_000,
};

/**
 * @typedef {object} Persistence
 * @property {AbortSignal} signal what cancels
 * @property {() => void} [waiting] called before each pause
 * @property {number} [tries] none means for ever
 * @property {Timing} [timing]
 */

/**
 * The body of the answer, which has the wanted status. No answer, a 408 and every 5xx but 507 are tried again
 * with the same bytes; any other answer is Refused. A cancelled signal throws its reason, used-up tries
 * GaveUp.
 * @param {string} url
 * @param {RequestInit & {method: string}} init
 * @param {number} bytes the larger of request and answer, for the patience
 * @param {number} wanted the only status that is a success
 * @param {Persistence} persistence
 */
export async function request(url, init, bytes, wanted, persistence) {
  const { signal, waiting, tries = Infinity, timing = TIMING } = persistence;
  let { patience, pause } = timing;
  patience += Math.ceil(bytes / 1024) * timing.perKiB;
  for (let count = 1; ; count++) {
    try {
      return await attempt(url, init, wanted, signal, patience);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unreachable)) throw error;
      if (count >= tries) throw new GaveUp("no answer from the relay");
      if (error.stalled) patience = Math.min(patience * 2, timing.longest);
    }
    waiting?.();
    await sleep(pause * (0.5 + Math.random() / 2), signal);
    pause = Math.min(pause * 2, timing.longestPause);
  }
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @param {number} wanted the only status that is a success
 * @param {AbortSignal} signal
 * @param {number} patience
 */
async function attempt(url, init, wanted, signal, patience) {
  const deadline = AbortSignal.timeout(patience);
  let status, body;
  try {
    const response = await fetch(url, {
      ...init,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.any([signal, deadline]),
    });
    status = response.status;
    body = new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Unreachable(deadline.aborted);
  }
  if (status === wanted) return body;
  if (status === 408 || (status >= 500 && status !== 507)) throw new Unreachable(false);
  throw new Refused(status);
}

/**
 * Waits, or throws the signal's reason.
 * @param {number} time in milliseconds
 * @param {AbortSignal} signal
 */
export async function sleep(time, signal) {
  signal.throwIfAborted(); // A listener added now would never hear of it.
  await new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(undefined);
    }, time);
    signal.addEventListener("abort", stop, { once: true });
  });
}
