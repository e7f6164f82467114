// The step in which a drop is sealed and uploaded.

import { measure, seal } from "./drop.js";
import { FileChanged } from "./file.js";
import { Refused } from "./http.js";
import {
  announce,
  complain,
  control,
  edition,
  element,
  mark,
  percent,
  sentence,
  show,
  size,
} from "./page.js";
import { upload } from "./upload.js";

/** @typedef {import("./upload.js").Progress} Progress */

const ANSWERS = new Map([
  [404, "lost"],
  [409, "lost"],
  [413, "too_large"],
  [507, "full"],
]);

let running = false;

/** Whether a drop is on its way. */
export function sending() {
  return running;
}

/**
 * Whether the draft was sent and is durable. If not, the step it came from is shown again, with the reason.
 * @param {import("./drop.js").Draft} draft
 * @param {string} from the step to go back to
 */
export async function deliver(draft, from) {
  const { recipients } = edition;
  const { size: bytes } = measure(draft, recipients.length);
  const cancelling = new AbortController();
  const { signal } = cancelling;
  element("cancel").addEventListener("click", () => cancelling.abort(), { signal });
  let committing = false;
  running = true;
  show("sending");
  showNothing();
  try {
    await read(draft.files, signal);
    const parts = seal(draft, recipients);
    const report = (/** @type {Progress} */ progress) => {
      committing = progress.committing;
      showProgress(progress);
    };
    await upload({ parts, size: bytes, signal, report });
    announce("");
    return true;
  } catch (error) {
    show(from);
    if (signal.aborted) announce(sentence(committing ? "cancelled_late" : "cancelled"));
    else explain(error);
    return false;
  } finally {
    running = false;
    cancelling.abort(); // Takes the button's listener away.
  }
}

/**
 * Waits until every file was read for the first time, or for the signal.
 * @param {readonly import("./drop.js").Attachment[]} files
 * @param {AbortSignal} signal
 */
async function read(files, signal) {
  announce(files.length > 0 ? sentence("reading") : "");
  const cancelled = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  await Promise.race([Promise.allSettled(files.map(({ sums }) => sums)), cancelled]);
}

/** Leaves the bar without a share, and forgets that of a drop before. */
function showNothing() {
  control("progress", HTMLProgressElement).removeAttribute("value");
  element("progress-text").textContent = "";
}

/** @param {Progress} progress */
function showProgress({ done, total, waiting }) {
  const bar = control("progress", HTMLProgressElement);
  bar.max = total;
  bar.value = done;
  element("progress-text").textContent = sentence("sending", { done: size(done), total: size(total) });
  const tenths = Math.floor((10 * done) / total) / 10;
  if (waiting) announce(sentence("waiting"));
  else if (done === total) announce(sentence("finishing"));
  else if (tenths === 0) announce(sentence("sealing"));
  else announce(sentence("percent", { percent: percent(tenths) }), false); // The bar shows it.
}

/**
 * Says why it was not sent.
 * @param {unknown} error
 */
function explain(error) {
  announce("");
  if (error instanceof FileChanged) mark("files", sentence("file_changed", { file: error.file }));
  else if (error instanceof Refused) complain(sentence(ANSWERS.get(error.status) ?? "refused"));
  else complain(sentence("failed"));
}
