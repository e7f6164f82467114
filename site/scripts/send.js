// send.html: write, keep twelve words, prove it, send.

import { fetchBoard } from "./board.js";
import { firstDifference, newEntropy, wordsFor } from "./codename.js";
import { clear, draftFrom, filled } from "./form.js";
import { announce, edition, element, onClick, onSubmit, show, start } from "./page.js";
import { deliver, sending } from "./sending.js";
import { threadKey } from "./thread.js";
import { differsAt, forgetWords, readWords } from "./words.js";

let codename = newCodename();
/** Whether the source has typed the words back; a second try then needs no third. */
let proven = false;

onSubmit("write", async () => {
  announce("");
  if (!draftFrom(codename.thread, [])) return;
  if (proven) await send();
  else showWords();
});
onClick("words-back", () => leaveWords("write"));
onClick("words-written", () => leaveWords("confirm"));
onClick("words-again", showWords);
onSubmit("confirm", async () => {
  const position = readWords((text) => firstDifference(codename.words, text));
  if (position === null) return;
  if (position > 0) return differsAt(position);
  forgetWords();
  proven = true;
  return send();
});

start("write", () => filled() || sending());
// Both pages download the board as they load, so that doing so says nothing; here nobody reads it.
fetchBoard(edition.terms).catch(() => {});

function newCodename() {
  const entropy = newEntropy();
  return { words: wordsFor(entropy), thread: threadKey(entropy, edition.newsroom) };
}

function showWords() {
  forgetWords();
  const items = codename.words.map((word) => {
    const item = document.createElement("li");
    item.textContent = word;
    return item;
  });
  element("words").replaceChildren(...items);
  show("words");
}

/** @param {string} step */
function leaveWords(step) {
  element("words").replaceChildren();
  show(step);
}

async function send() {
  const draft = draftFrom(codename.thread, []);
  if (!draft || !(await deliver(draft, "write"))) return;
  clear();
  codename = newCodename();
  proven = false;
  show("done");
}
