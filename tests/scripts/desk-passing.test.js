import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Cases, say } from "../../site/scripts/desk-cases.js";
import { canPassOn, heldOf, isHere, owed, passOn } from "../../site/scripts/desk-passing.js";
import { openState, sealState } from "../../site/scripts/desk-state.js";
import { note, waits } from "../../site/scripts/desk-telling.js";
import { GaveUp } from "../../site/scripts/http.js";
import {
  Box,
  desk,
  fromSource,
  hex,
  newsroom,
  opened,
  plaintext,
  recipients,
  sealedTo,
  sync,
} from "../support/desk_box.mjs";
import { FlakyRelay } from "../support/flaky_relay.mjs";

const timing = { patience: 60_000, perKiB: 0, longest: 60_000, pause: 1, longestPause: 4 };
const content = randomBytes(3 << 20);

/** A desk whose work was saved, and that was opened anew. */
async function reopened(at) {
  const saved = new Blob([await sealState(at.state, at.journalist)]);
  return desk(at.name, await openState(saved, at.journalist));
}

/** A desk of ada's, the drop with a large file that it knows, and what says it to cyn. */
async function withLargeFile() {
  const [box, key, ada] = [new Box(), randomBytes(32), desk("ada")];
  box.put(await fromSource(key, ["ada", "bea"], "It began in March.", content));
  await box.fill(ada);
  const thread = hex(key);
  say(ada, thread, "widen", { to: ["cyn"] });
  await sync(ada, box);
  const { listed, sealed } = box.drops[0];
  return { ada, listed, sealed, thread };
}

function way(base, signal = new AbortController().signal) {
  return { base, signal, timing };
}

test("a case is passed on in notes of one size, and is the same case", async () => {
  const { box, ada, bea, thread } = await newsroom();
  const cover = (await note(ada)).sealed.length;
  say(bea, thread, "label", { label: "harbour", set: true });
  await sync(bea, box);
  say(ada, thread, "note", { text: "See the archive" });
  await sync(ada, box);
  await box.fill(ada);
  const before = box.drops.map(({ sealed }) => new Blob([sealed]));
  const again = await reopened(ada);
  say(again, thread, "widen", { to: ["cyn"] });
  const sizes = [];
  while (waits(again)) sizes.push((await sync(again, box)).size);
  assert.deepEqual(sizes, Array(4).fill(cover), "who was let in, then a drop and two notes");
  const cyn = desk("cyn");
  await box.fill(cyn);
  assert.deepEqual([...cyn.state.entries.values()].map(({ problem }) => problem), ["", "", "", ""]);
  const [theirs, ours] = [new Cases(cyn).of(thread), new Cases(again).of(thread)];
  assert.deepEqual([theirs.history, theirs.missing], [ours.history, new Set()]);
  assert.deepEqual(theirs.history.at(-1).statement.to, ["cyn"], "the history says it");
  const copies = box.drops.slice(-3).map(({ sealed }) => new Blob([sealed]));
  for (const [at, copy] of copies.entries()) {
    assert.deepEqual(await plaintext(copy, "cyn"), await plaintext(before[at], "ada"), "to the byte");
    await assert.rejects(opened(copy, "bea"), "sealed to the new readers alone");
  }
  assert.deepEqual(owed(await reopened(again)), [], "and not again");
});

test("a copy has the padding that the drop had", async () => {
  const [box, key, ada] = [new Box(), randomBytes(32), desk("ada")];
  const made = await plaintext(new Blob([await fromSource(key, ["ada"])]), "ada");
  const odd = Buffer.concat([made, Buffer.alloc(100_000)]);
  box.put(Buffer.from(await sealedTo(odd, "ada")));
  await box.fill(ada);
  say(ada, hex(key), "widen", { to: ["cyn"] });
  await sync(ada, box);
  await using relay = new FlakyRelay();
  await passOn(ada, way(await relay.listen()), () => {});
  assert.deepEqual(await plaintext(new Blob([relay.drop]), "cyn"), odd);
});

test("nobody whom the page does not list is passed anything", async () => {
  const { box, ada, thread } = await newsroom();
  say(ada, thread, "widen", { to: ["eve", "cyn"] });
  assert.deepEqual(owed(ada).map(({ to }) => to), [["cyn"]]);
  ada.edition = { ...ada.edition, recipients: recipients.slice(0, 2) };
  assert.deepEqual(owed(ada), []);
  assert.deepEqual((await opened((await sync(ada, box)).sealed, "ada")).letter.to, ["ada", "bea"]);
});

test("what is no reader's, or forged, is not passed on", async () => {
  const { box, ada, bea, thread } = await newsroom();
  say(bea, thread, "note", { text: "hello" });
  const { sealed } = await sync(bea, box);
  const plain = await plaintext(sealed, "ada");
  plain[plain.indexOf("drop.sig\0") + 512] ^= 1;
  box.put(Buffer.from(await sealedTo(plain, "ada")));
  await box.fill(ada);
  say(ada, thread, "widen", { to: ["cyn"] });
  assert.deepEqual(owed(ada).map(({ entry }) => entry.forged), [false, false]);
  assert.equal(heldOf(ada, thread).length, 2);
});

test("who said to have read a drop is not sent it once more", async () => {
  const { box, ada, thread } = await newsroom();
  say(ada, thread, "widen", { to: ["cyn"] });
  while (waits(ada)) await sync(ada, box);
  const cyn = desk("cyn");
  await box.fill(cyn);
  const [{ letter }] = [...cyn.state.entries.values()].filter(({ letter: one }) => one.kind === "drop");
  say(cyn, thread, "read", { messages: [letter.message] });
  await sync(cyn, box);
  const fresh = desk("ada"); // Its work was not saved.
  await box.fill(fresh);
  assert.deepEqual(owed(fresh), []);
});

test("a large drop is passed on whole, fetched again where it is not here, and once", async () => {
  const { ada, sealed } = await withLargeFile();
  assert.equal(waits(ada), false, "no note can hold it");
  const again = await reopened(ada);
  assert.equal(owed(again).every(({ entry }) => !isHere(again, entry)), true);
  await using relay = new FlakyRelay((_, count) => (count <= 2 ? "cut" : undefined));
  relay.board = sealed;
  const seen = [];
  await passOn(again, way(await relay.listen()), (stage) => seen.push(stage));
  const copy = new Blob([relay.drop]);
  assert.deepEqual(await plaintext(copy, "cyn"), await plaintext(new Blob([sealed]), "ada"));
  for (const name of ["ada", "bea"]) await assert.rejects(opened(copy, name));
  assert.deepEqual([...new Set(seen.map(({ step }) => step))], ["drop", "pass"]);
  assert.ok(seen.some(({ silent }) => silent));
  assert.equal(seen.at(-1).have, copy.size);
  const asked = relay.requests.length;
  await passOn(again, way(`http://127.0.0.1:${relay.port}`), () => {});
  assert.equal(relay.requests.length, asked);
});

test("one that is here is not fetched, and one that was stopped half-way arrives with the next", async () => {
  const { ada, listed } = await withLargeFile();
  await using relay = new FlakyRelay((what) => (what === "PUT 2" ? "stall" : undefined));
  const base = await relay.listen();
  const stop = new AbortController();
  const stopped = passOn(ada, way(base, stop.signal), ({ have }) => {
    if (have > 0) stop.abort();
  });
  await assert.rejects(stopped, { name: "AbortError" });
  assert.deepEqual([relay.drop, owed(ada).length], [null, 1], "no part of it is anything to anybody");
  relay.fault = () => undefined;
  relay.parts.clear();
  await passOn(ada, way(base), () => {});
  assert.ok(relay.drop);
  assert.equal(relay.count("GET"), 0);
  assert.deepEqual([ada.state.passed.get(listed.id), owed(ada)], [["cyn"], []]);
});

test("what the box no longer has, or has altered, is not passed on and stays owed", async () => {
  const { ada, sealed } = await withLargeFile();
  const again = await reopened(ada);
  for (const [fault, board] of [[404, sealed], [undefined, Buffer.from(sealed).fill(0, 1 << 20, 2 << 20)]]) {
    await using relay = new FlakyRelay((what) => (what === "GET" ? fault : undefined));
    relay.board = board;
    await passOn(again, way(await relay.listen()), () => {});
    assert.deepEqual([relay.drop, relay.count("POST")], [null, 0]);
    assert.equal(owed(again).length, 1);
  }
  const entry = owed(again)[0].entry;
  entry.plain += 512;
  again.sealed.set(entry.id, new Blob([sealed]));
  await using relay = new FlakyRelay();
  await passOn(again, way(await relay.listen()), () => {});
  assert.equal(relay.drop, null, "shorter than it was");
});

test("before anybody is let in, the box is asked whether it still has what is not here", async () => {
  const { ada, listed, thread } = await withLargeFile();
  const again = await reopened(ada);
  const listing = (drops) => Buffer.from(JSON.stringify({ drops, cursor: "1-1", more: false }));
  await using relay = new FlakyRelay();
  const base = await relay.listen();
  relay.board = listing([listed]);
  assert.equal(await canPassOn(again, way(base), thread), true);
  assert.deepEqual(relay.requests.map(({ url }) => url), ["/drops"], "and not told which that is");
  relay.board = listing([]);
  assert.equal(await canPassOn(again, way(base), thread), false);
  assert.equal(await canPassOn(ada, way("http://127.0.0.1:1"), thread), true, "all of it is here");
  await assert.rejects(canPassOn(again, way("http://127.0.0.1:1"), thread), GaveUp);
});
