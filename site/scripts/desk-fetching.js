// What the page shows of a sync while it is under way, and what it says when it ends.

import { download } from "./desk-client.js";
import { today } from "./desk-days.js";
import { BadDrop } from "./desk-reader.js";
import { edition, session } from "./desk-session.js";
import { keep, sync } from "./desk-sync.js";
import { waits } from "./desk-telling.js";
import { GaveUp, Refused } from "./http.js";
import { announce, complain, control, element, sentence, size } from "./page.js";

/** @type {AbortController | null} while one is under way */
let syncing = null;

export function isSyncing() {
  return syncing !== null;
}

export function stopSyncing() {
  syncing?.abort();
}

/** One sync; whether it came to its end. */
export async function fetchAndSend() {
  const { desk } = session;
  if (!desk || syncing) return false;
  session.unsaved = true;
  announce(sentence("asking"));
  const stopping = begin();
  try {
    const fetched = await sync(desk, way(stopping.signal), today(), showStage);
    announce(sentence(waits(desk) ? "fetched_more" : "fetched", { ...fetched }));
    return true;
  } catch (error) {
    announce("");
    if (stopping.signal.aborted) announce(sentence("stopped"));
    else if (error instanceof GaveUp) complain(sentence("unreachable", { relay: edition.relay }));
    else if (error instanceof Refused) complain(sentence("refused"));
    else throw error;
    return false;
  } finally {
    end();
  }
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
function showStage({ step, have = 0, size: whole = 0, left = 0 }) {
  const progress = control("progress", HTMLProgressElement);
  const values = { have: size(have), size: size(whole), left };
  element("progress-text").textContent = sentence(`stage_${step}`, values);
  if (step !== "drop") return progress.removeAttribute("value");
  progress.max = whole;
  progress.value = have;
}
