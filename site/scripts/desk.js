// desk.html: unlock, fetch, read, answer. Nothing is kept when it is closed but what its journalist saves.

import { bytesToHex } from "@noble/hashes/utils.js";
import { download } from "./desk-client.js";
import { today } from "./desk-days.js";
import { save } from "./desk-files.js";
import { BadIdentity, LONGEST, acting, unlock } from "./desk-identity.js";
import { clearCase, listMoreOf, showCase } from "./desk-case.js";
import { listen } from "./desk-case-forms.js";
import { haveRead, say } from "./desk-cases.js";
import { listMore, showInbox } from "./desk-inbox.js";
import { condition } from "./desk-outbox.js";
import { BadDrop } from "./desk-reader.js";
import { BadState, newState, noteDraft, openState, sealState } from "./desk-state.js";
import { keep, sync } from "./desk-sync.js";
import { count, keepDraft, queueReply, showThread } from "./desk-thread.js";
import { waits } from "./desk-telling.js";
import { threadsOf } from "./desk-threads.js";
import { GaveUp, Refused } from "./http.js";
import {
  announce,
  complain,
  control,
  edition as data,
  element,
  mark,
  onClick,
  onSubmit,
  percent,
  sentence,
  show,
  size,
  start,
} from "./page.js";

/** @typedef {import("./desk-sync.js").Desk} Desk */
/** @typedef {import("./desk-sync.js").Stage} Stage */

const edition = /** @type {import("./desk-sync.js").DeskEdition} */ (/** @type {unknown} */ (data));
const identity = control("identity", HTMLInputElement);
const passphrase = control("passphrase", HTMLInputElement);
const saved = control("saved", HTMLInputElement);
const bar = control("bar", HTMLProgressElement);

/** @type {Desk | null} while it is unlocked */
let desk = null;
/** @type {{identity: Uint8Array<ArrayBuffer>, state: Blob, sealed: Map<string, Blob>} | null} while locked */
let locked = null;
/** @type {Uint8Array<ArrayBuffer>} the identity file, as it is locked */
let file = new Uint8Array();
/** @type {string} the thread that is shown */
let shown = "";
/** @type {AbortController | null} while a sync is under way */
let syncing = null;
/** Whether there is something that a closed page would lose. */
let unsaved = false;
/** When the journalist last did something. */
let last = Date.now();

onSubmit("unlock", begin);
onClick("forget", () => {
  unsaved = false;
  location.reload();
});
onClick("sync", async () => {
  await fetchAndSend();
});
onClick("stop", () => syncing?.abort());
onClick("save", saveWork);
onClick("lock", () => lock(sentence("locked")));
onClick("back", toInbox);
onClick("more", () => {
  const first = element("threads").childElementCount;
  listMore();
  refresh();
  element("threads").querySelectorAll("button")[first]?.focus();
});
onClick("to-case", () => element("case-title").focus());
onClick("sync-here", async () => {
  await fetchAndSend();
  element("case-title").focus(); // The button is gone where nothing waits.
});
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
  () => desk && { desk, key: shown },
  (says, more) => {
    if (!desk) return;
    say(desk, shown, says, more);
    if (says === "note") desk.state.drafts.delete(noteDraft(shown));
    unsaved = true;
    refresh();
    announce(sentence("said"));
  },
);
element("case-note").addEventListener("input", () => {
  const { value } = control("case-note", HTMLTextAreaElement);
  if (value === "") desk?.state.drafts.delete(noteDraft(shown));
  else desk?.state.drafts.set(noteDraft(shown), value);
  unsaved = true;
});
onSubmit("reply", answer);
element("reply").addEventListener("input", () => {
  count();
  if (desk) keepDraft(desk, shown);
  unsaved = true;
});
for (const sign of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  window.addEventListener(sign, () => (last = Date.now()), { capture: true, passive: true });
}
setInterval(() => {
  const { idle_minutes: minutes } = edition;
  if (desk && !syncing && Date.now() - last > minutes * 60_000) lock(sentence("locked_idle", { minutes }));
}, 1_000);

start("unlock", () => unsaved);
if (today() > edition.expires) complain(sentence("old_edition", { day: edition.expires }));

/** Unlocks with what the form holds, and shows the inbox; or says what is wrong. */
async function begin() {
  for (const field of ["identity", "passphrase", "saved"]) mark(field, "");
  if (!bar.hidden) return; // Unlocking already.
  const chosen = identity.files?.[0];
  if (!locked && (!chosen || chosen.size > LONGEST)) {
    return mark("identity", sentence(chosen ? "identity_wrong" : "identity_missing"));
  }
  if (passphrase.value === "") return mark("passphrase", sentence("passphrase_missing"));
  bar.hidden = false;
  try {
    file = locked?.identity ?? new Uint8Array((await chosen?.arrayBuffer()) ?? []);
    desk = await unlocked(passphrase.value);
    if (!desk) return;
    control("unlock", HTMLFormElement).reset();
    locked = null;
    last = Date.now();
    announce("");
    toInbox();
  } catch (error) {
    announce("");
    if (error instanceof BadState) mark("saved", sentence("saved_wrong"));
    else if (!(error instanceof BadIdentity)) throw error;
    else if (error.reason === "passphrase") mark("passphrase", sentence("passphrase_wrong"));
    else mark("identity", sentence("identity_wrong"));
  } finally {
    bar.hidden = true;
  }
}

/**
 * The desk of whoever's file this is; null for one whom the page does not list, which it then says.
 * @param {string} typed
 * @returns {Promise<Desk | null>}
 */
async function unlocked(typed) {
  const all = await unlock(file, typed, (share) => {
    bar.value = share;
    announce(sentence("unlocking", { percent: percent(Math.floor(share * 10) / 10) }), false);
  });
  const one = all.find((each) => placeOf(each) >= 0);
  if (!one) {
    announce("");
    const ended = edition.former.find(({ signer }) => signer === bytesToHex(all[0].signer));
    const said = ended ? sentence("identity_ended", { day: ended.until }) : sentence("identity_unlisted");
    mark("identity", said);
    return null;
  }
  const place = placeOf(one);
  const journalist = acting(all, one);
  const kept = locked?.state ?? saved.files?.[0];
  const state = kept ? await openState(kept, journalist) : newState();
  const { name } = edition.recipients[place];
  return { edition, journalist, name, place, state, sealed: locked?.sealed ?? new Map() };
}

/**
 * Where the page lists this identity; -1 where it does not.
 * @param {import("./desk-identity.js").Journalist} journalist
 */
function placeOf({ recipient, signer }) {
  const own = bytesToHex(signer);
  return edition.recipients.findIndex((one) => one.recipient === recipient && one.signer === own);
}

/**
 * Locks the page: what was opened goes, and what is to stay is sealed.
 * @param {string} said
 */
async function lock(said) {
  if (!desk) return;
  const { state, journalist, sealed } = desk;
  desk = null;
  syncing?.abort();
  for (const place of ["threads", "conversation", "problem-list"]) element(place).replaceChildren();
  control("reply", HTMLFormElement).reset();
  clearCase();
  locked = { identity: file, state: new Blob([Uint8Array.from(await sealState(state, journalist))]), sealed };
  journalist.seed.fill(0);
  element("keys").hidden = true;
  element("kept").hidden = false;
  announce(said);
  show("unlock");
}

function toInbox() {
  if (!desk) return;
  shown = "";
  showInbox(desk, today(), ({ key }) => toThread(key));
  show("inbox");
}

/** @param {string} key */
function toThread(key) {
  const thread = desk && threadsOf(desk).find((one) => one.key === key);
  if (!desk || !thread) return;
  const fresh = thread.entries.filter(({ id }) => !desk?.state.shown.has(id));
  if (fresh.length > 0) unsaved = true;
  haveRead(desk, fresh);
  for (const { id } of fresh) desk.state.shown.add(id);
  shown = key;
  announce("");
  showAll(desk, thread);
  show("thread");
}

/**
 * @param {Desk} at
 * @param {import("./desk-threads.js").Thread} thread
 */
function showAll(at, thread) {
  showThread(at, thread, today(), fetchAgain);
  element("case").hidden = thread.byHand;
  element("to-case").hidden = thread.byHand;
  if (!thread.byHand) showCase(at, thread);
}

/** Shows what is shown as it is now. */
function refresh() {
  const thread = desk && threadsOf(desk).find(({ key }) => key === shown);
  if (desk && thread) showAll(desk, thread);
  else if (desk) showInbox(desk, today(), ({ key }) => toThread(key));
}

/** One sync; whether it came to its end. */
async function fetchAndSend() {
  if (!desk || syncing) return false;
  const at = desk;
  const stopping = new AbortController();
  syncing = stopping;
  unsaved = true;
  complain("");
  announce(sentence("asking"));
  element("syncing").hidden = false;
  try {
    const fetched = await sync(at, way(stopping.signal), today(), showStage);
    announce(sentence(waits(at) ? "fetched_more" : "fetched", { ...fetched }));
    return true;
  } catch (error) {
    announce("");
    if (stopping.signal.aborted) announce(sentence("stopped"));
    else if (error instanceof GaveUp) complain(sentence("unreachable", { relay: edition.relay }));
    else if (error instanceof Refused) complain(sentence("refused"));
    else throw error;
    return false;
  } finally {
    syncing = null;
    element("syncing").hidden = true;
    if (desk === at) refresh();
  }
}

/** @param {AbortSignal} signal */
function way(signal) {
  return { base: edition.relay, signal };
}

/** @param {Stage} stage */
function showStage({ step, have = 0, size: whole = 0, left = 0 }) {
  const progress = control("progress", HTMLProgressElement);
  const values = { have: size(have), size: size(whole), left };
  element("progress-text").textContent = sentence(`stage_${step}`, values);
  if (step !== "drop") return progress.removeAttribute("value");
  progress.max = whole;
  progress.value = have;
}

/** Queues the reply and sends it with a sync, at once or with the next one. */
async function answer() {
  const thread = desk && threadsOf(desk).find(({ key }) => key === shown);
  if (!desk || !thread) return;
  const at = desk;
  const id = queueReply(at, thread, today());
  if (!id) return;
  unsaved = true;
  refresh();
  const done = await fetchAndSend();
  const reply = at.state.replies.get(id);
  const posted = done && reply && condition(at, reply, today()) === "posted";
  if (desk === at) announce(sentence(posted ? "sent" : "queued"));
}

async function saveWork() {
  if (!desk) return;
  const { state, journalist, name } = desk;
  save(new Blob([Uint8Array.from(await sealState(state, journalist))]), `knothole-${name}-${today()}.age`);
  unsaved = false;
  announce(sentence("saved"));
}

/**
 * A drop that is not here any more, once the journalist agrees that the box sees that somebody asks for it.
 * @param {import("./desk-state.js").Entry} entry
 */
async function fetchAgain(entry) {
  if (!desk || syncing || !confirm(sentence("fetch_again"))) return null;
  const at = desk;
  const stopping = new AbortController();
  syncing = stopping;
  complain("");
  element("syncing").hidden = false;
  try {
    const report = (/** @type {number} */ have) =>
      showStage({ step: "drop", have, size: entry.size, left: 1 });
    const sealed = await download(way(stopping.signal), entry, report);
    keep(at, entry.id, sealed, entry.files.length);
    return sealed;
  } catch (error) {
    if (stopping.signal.aborted) announce(sentence("stopped"));
    else if (error instanceof BadDrop) complain(sentence(`problem_${error.reason}`));
    else complain(sentence("unreachable", { relay: edition.relay }));
    return null;
  } finally {
    syncing = null;
    element("syncing").hidden = true;
  }
}
