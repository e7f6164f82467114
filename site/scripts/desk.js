// desk.html: which step follows which. Nothing is kept when it is closed but what its journalist saves.

import { listMoreOf, showCase } from "./desk-case.js";
import { listen } from "./desk-case-forms.js";
import { haveRead, say } from "./desk-cases.js";
import { today } from "./desk-days.js";
import { fetchAgain, fetchAndSend, isSyncing, isWhole, stopSyncing } from "./desk-fetching.js";
import { save } from "./desk-files.js";
import { listMore, showInbox } from "./desk-inbox.js";
import { condition } from "./desk-outbox.js";
import { isNew, isRotating, listenToRotation, showIdentity, wanting } from "./desk-rotate.js";
import { edition, session } from "./desk-session.js";
import { noteDraft, sealState } from "./desk-state.js";
import { count, keepDraft, queueReply, showThread } from "./desk-thread.js";
import { threadsOf } from "./desk-threads.js";
import { begin, lock } from "./desk-unlock.js";
import { announce, complain, control, element, onClick, onSubmit, sentence, show, start } from "./page.js";

/** @type {string} the thread that is shown; empty where none is */
let shown = "";
/** When the journalist last did something. */
let last = Date.now();

onSubmit("unlock", async () => {
  if (!(await begin())) return;
  last = Date.now();
  toInbox();
  if (session.desk) announce(wanting(session.desk));
});
onClick("forget", () => {
  session.unsaved = false;
  location.reload();
});
onClick("sync", async () => {
  await syncAndShow();
});
onClick("stop", stopSyncing);
onClick("save", saveWork);
onClick("lock", () => lock(sentence("locked")));
onClick("back", toInbox);
listenToRotation(toInbox);
onClick("more", () => {
  const first = element("threads").childElementCount;
  listMore();
  refresh();
  element("threads").querySelectorAll("button")[first]?.focus();
});
onClick("to-case", () => element("case-title").focus());
for (const [id, every] of /** @type {const} */ ([["sync-here", false], ["sync-all", true]])) {
  onClick(id, async () => {
    await syncAndShow(every);
    element("case-title").focus(); // The button is gone where nothing waits.
  });
}
for (const which of /** @type {const} */ (["history", "tasks"])) {
  onClick(`more-${which}`, () => {
    const first = element(which).childElementCount;
    listMoreOf(which);
    refresh();
    const next = element(which).children[first];
    if (!(next instanceof HTMLElement)) return;
    next.tabIndex = -1;
    next.focus();
  });
}
listen(
  () => session.desk && { desk: session.desk, key: shown },
  (says, more) => {
    const { desk } = session;
    if (!desk) return;
    say(desk, shown, says, more);
    if (says === "note") desk.state.drafts.delete(noteDraft(shown));
    session.unsaved = true;
    refresh();
    announce(sentence("said"));
  },
  isWhole,
);
element("case-note").addEventListener("input", () => {
  const { value } = control("case-note", HTMLTextAreaElement);
  const drafts = session.desk?.state.drafts;
  if (value === "") drafts?.delete(noteDraft(shown));
  else drafts?.set(noteDraft(shown), value);
  session.unsaved = true;
});
onSubmit("reply", answer);
element("reply").addEventListener("input", () => {
  count();
  if (session.desk) keepDraft(session.desk, shown);
  session.unsaved = true;
});
for (const sign of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  window.addEventListener(sign, () => (last = Date.now()), { capture: true, passive: true });
}
setInterval(() => {
  const { idle_minutes: minutes } = edition;
  if (isSyncing() || isRotating() || Date.now() - last <= minutes * 60_000) return;
  lock(sentence("locked_idle", { minutes }));
}, 1_000);

start("unlock", () => session.unsaved || isNew());
if (today() > edition.expires) complain(sentence("old_edition", { day: edition.expires }));

function toInbox() {
  shown = "";
  if (!session.desk) return;
  refresh();
  show("inbox");
}

/** @param {string} key */
function toThread(key) {
  const { desk } = session;
  const thread = desk && threadsOf(desk).find((one) => one.key === key);
  if (!desk || !thread) return;
  const fresh = thread.entries.filter(({ id }) => !desk.state.shown.has(id));
  if (fresh.length > 0) session.unsaved = true;
  haveRead(desk, fresh);
  for (const { id } of fresh) desk.state.shown.add(id);
  shown = key;
  announce("");
  refresh();
  show("thread");
}

/** Shows what is shown as it is now. */
function refresh() {
  const { desk } = session;
  if (!desk) return;
  const thread = threadsOf(desk).find(({ key }) => key === shown);
  if (!thread) {
    showInbox(desk, today(), ({ key }) => toThread(key));
    showIdentity(desk);
    return;
  }
  showThread(desk, thread, today(), fetchAgain);
  element("case").hidden = thread.byHand;
  element("to-case").hidden = thread.byHand;
  if (!thread.byHand) showCase(desk, thread);
}

/**
 * One sync, and what came of it; whether it came to its end.
 * @param {boolean} [every] whether to send all that waits
 */
async function syncAndShow(every = false) {
  const { desk } = session;
  try {
    return await fetchAndSend(every);
  } finally {
    if (session.desk === desk) refresh();
  }
}

/** Queues the reply and sends it with a sync, at once or with the next one. */
async function answer() {
  const { desk } = session;
  const thread = desk && threadsOf(desk).find(({ key }) => key === shown);
  if (!desk || !thread) return;
  const id = queueReply(desk, thread, today());
  if (!id) return;
  session.unsaved = true;
  refresh();
  const done = await syncAndShow();
  const reply = desk.state.replies.get(id);
  const posted = done && reply && condition(desk, reply, today()) === "posted";
  if (session.desk === desk) announce(sentence(posted ? "sent" : "queued"));
}

async function saveWork() {
  if (!session.desk) return;
  const { state, journalist, name } = session.desk;
  save(new Blob([Uint8Array.from(await sealState(state, journalist))]), `knothole-${name}-${today()}.age`);
  session.unsaved = false;
  announce(sentence("saved"));
}
