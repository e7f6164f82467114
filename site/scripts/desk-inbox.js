// The list of threads, and of what could not be read.

import { Cases } from "./desk-cases.js";
import { dayAfter } from "./desk-days.js";
import { nameOf, threadsOf, titleOf } from "./desk-threads.js";
import { copyOf, element, part, sentence } from "./page.js";

/** How many threads are listed at once: a browser takes its time for thousands. */
const AT_ONCE = 100;
/** Days that a drop may lie unread by anybody before the desk warns. */
const UNREAD_DAYS = 3;

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
 * @param {string} today
 * @param {(thread: Thread) => void} open
 */
export function showInbox(desk, today, open) {
  const threads = threadsOf(desk);
  const left = threads.length - listed;
  element("more").hidden = left <= 0;
  element("more").textContent = sentence("more", { left });
  const broken = [...desk.state.entries.values()].filter(({ problem }) => problem);
  element("empty").hidden = threads.length > 0;
  const cases = new Cases(desk);
  element("threads").replaceChildren(
    ...threads.slice(0, listed).map((thread) => {
      const item = itemFor(thread, open);
      describe(item, desk, cases.of(thread.key), today);
      return item;
    }),
  );
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

/**
 * Says in a thread's item where its case stands.
 * @param {HTMLElement} item
 * @param {Desk} desk
 * @param {import("./desk-casefold.js").Case} told
 * @param {string} today
 */
function describe(item, desk, { messages, reads, state, stands, tasks, planned, agreed }, today) {
  const mine = tasks.filter(({ to, done }) => to === desk.name && !done).length;
  const facts = [];
  if (state) facts.push(sentence(`state_${stands}`));
  if (mine > 0) facts.push(sentence("facts_tasks", { count: mine }));
  if (planned) facts.push(sentence(agreed ? "date_agreed" : "date_open", { date: planned }));
  part(item, "case").textContent = facts.join(" · ");
  part(item, "case").hidden = facts.length === 0;
  const late = messages.find(({ id, day }) => !reads.has(id) && dayAfter(day, UNREAD_DAYS) <= today);
  part(item, "late").textContent = late ? sentence("overdue", { day: late.day }) : "";
  part(item, "late").hidden = !late;
}
