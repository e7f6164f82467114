// What the page shows of a sync while it is under way, and what it says when it ends.

import { hexToBytes } from "@noble/hashes/utils.js";
import { download } from "./desk-client.js";
import { today } from "./desk-days.js";
import { canPassOn } from "./desk-passing.js";
import { BadDrop } from "./desk-reader.js";
import { edition, session } from "./desk-session.js";
import { keep, sync } from "./desk-sync.js";
import { waits } from "./desk-telling.js";
import { GaveUp, Refused } from "./http.js";
import { announce, complain, control, element, sentence, size } from "./page.js";
import { threadId } from "./thread.js";

/** @type {AbortController | null} while one is under way */
let syncing = null;

export function isSyncing() {
  return syncing !== null;
}

export function stopSyncing() {
  syncing?.abort();
}

/**
 * One sync; whether it came to its end.
 * @param {boolean} [every] whether to send all that waits
 */
export async function fetchAndSend(every = false) {
  const { desk } = session;
  if (!desk || syncing) return false;
  session.unsaved = true;
  announce(sentence("asking"));
  const stopping = begin();
  try {
    const fetched = await sync(desk, way(stopping.signal), today(), showStage, every);
    announce(sentence(waits(desk) ? "fetched_more" : "fetched", { ...fetched }));
    return true;
  } catch (error) {
    explain(error, stopping.signal);
    return false;
  } finally {
    end();
  }
}

/**
 * Whether all of a case can be passed on to somebody: it is here, or still in the box. Where it cannot, this
 * says why.
 * @param {string} key the thread
 * @param {readonly string[]} to their names
 */
export async function isWhole(key, to) {
  const { desk } = session;
  if (!desk || syncing) return false;
  const stopping = begin();
  showStage({ step: "list" });
  try {
    // Whose case this is, nobody has seen.
    const large = [...desk.state.entries.values()].some(({ problem }) => problem === "large");
    const whole = !large && (await canPassOn(desk, way(stopping.signal), key));
    const command = `desk case ${threadId(hexToBytes(key)).slice(0, 8)} widen ${to.join(" ")}`;
    if (!whole) complain(sentence(large ? "widen_large" : "widen_gone", { command }));
    return whole;
  } catch (error) {
    explain(error, stopping.signal);
    return false;
  } finally {
    end();
  }
}

/**
 * Says why there is no answer.
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
function explain(error, signal) {
  announce("");
  if (signal.aborted) announce(sentence("stopped"));
  else if (error instanceof GaveUp) complain(sentence("unreachable", { relay: edition.relay }));
  else if (error instanceof Refused) complain(sentence("refused"));
  else throw error;
}

/**
 * A drop that is not here any more, once the journalist agrees that the box sees that somebody asks for it.
 * @param {import("./desk-state.js").Entry} entry
 */
export async function fetchAgain(entry) {
  const { desk } = session;
  if (!desk || syncing || !confirm(sentence("fetch_again"))) return null;
  const stopping = begin();
  try {
    const report = (/** @type {number} */ have) =>
      showStage({ step: "drop", have, size: entry.size, left: 1 });
    const sealed = await download(way(stopping.signal), entry, report);
    keep(desk, entry.id, sealed, entry.files.length);
    return sealed;
  } catch (error) {
    if (stopping.signal.aborted) announce(sentence("stopped"));
    else if (error instanceof BadDrop) complain(sentence(`problem_${error.reason}`));
    else complain(sentence("unreachable", { relay: edition.relay }));
    return null;
  } finally {
    end();
  }
}

function begin() {
  syncing = new AbortController();
  complain("");
  element("syncing").hidden = false;
  return syncing;
}

function end() {
  syncing = null;
  element("syncing").hidden = true;
}

/** @param {AbortSignal} signal */
function way(signal) {
  return { base: edition.relay, signal };
}

/** @param {import("./desk-sync.js").Stage} stage */
function showStage({ step, have = 0, size: whole = 0, left = 0, silent = false }) {
  const progress = control("progress", HTMLProgressElement);
  const values = { have: size(have), size: size(whole), left };
  element("progress-text").textContent = sentence(silent ? "stage_silent" : `stage_${step}`, values);
  if (step !== "drop" && step !== "pass") return progress.removeAttribute("value");
  progress.max = whole;
  progress.value = have;
}
