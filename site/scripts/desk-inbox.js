// The list of threads, and of what could not be read.

import { nameOf, threadsOf, titleOf } from "./desk-threads.js";
import { copyOf, element, part, sentence } from "./page.js";

/** How many threads are listed at once: a browser takes its time for thousands. */
const AT_ONCE = 100;

/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {import("./desk-threads.js").Thread} Thread */

/** How many are listed now. */
let listed = AT_ONCE;

/** Lists more of them the next time. */
export function listMore() {
  listed += AT_ONCE;
}

/**
 * Shows what there is; `open` is called with the thread that is chosen.
 * @param {Desk} desk
 * @param {(thread: Thread) => void} open
 */
export function showInbox(desk, open) {
  const threads = threadsOf(desk);
  const left = threads.length - listed;
  element("more").hidden = left <= 0;
  element("more").textContent = sentence("more", { left });
  const broken = [...desk.state.entries.values()].filter(({ problem }) => problem);
  element("empty").hidden = threads.length > 0;
  element("threads").replaceChildren(...threads.slice(0, listed).map((thread) => itemFor(thread, open)));
  element("problems").hidden = broken.length === 0;
  element("problem-list").replaceChildren(
    ...broken.map(({ id, day, problem }) => {
      const item = document.createElement("li");
      item.textContent = `${id.slice(0, 8)}, ${day}: ${sentence(`problem_${problem}`)}`;
      return item;
    }),
  );
}

/**
 * @param {Thread} thread
 * @param {(thread: Thread) => void} open
 */
function itemFor(thread, open) {
  const { entries, unread, byHand } = thread;
  const { day } = entries[entries.length - 1];
  const id = nameOf(thread);
  const files = entries.reduce((count, entry) => count + entry.files.length, 0);
  const item = copyOf("thread");
  item.dataset.key = thread.key;
  part(item, "new").hidden = !unread;
  part(item, "title").textContent = byHand ? sentence("by_hand") : titleOf(thread) || sentence("no_text");
  const facts = files > 0 ? sentence("facts_files", { day, id, files }) : sentence("facts", { day, id });
  part(item, "facts").textContent = facts;
  part(item, "open").addEventListener("click", () => open(thread));
  return item;
}
