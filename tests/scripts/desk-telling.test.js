import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Cases, WAITING, haveRead, say } from "../../site/scripts/desk-cases.js";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { sealNote } from "../../site/scripts/desk-note.js";
import { post, queue } from "../../site/scripts/desk-outbox.js";
import { NotForYou } from "../../site/scripts/desk-reader.js";
import { judgeAgain, openState, sealState } from "../../site/scripts/desk-state.js";
import { takeIn } from "../../site/scripts/desk-sync.js";
import { note, waits } from "../../site/scripts/desk-telling.js";
import { LINE } from "../../site/scripts/line.js";
import {
  TODAY,
  desk,
  edition,
  fromSource,
  hex,
  names,
  newsroom,
  opened,
  people,
  plaintext,
  recipients,
  sealedTo,
  sync,
  texts,
} from "../support/desk_box.mjs";
import { randomly } from "../support/random.mjs";
import { library } from "../support/vectors.mjs";

const { generateHybridIdentity } = library("age-encryption");

test("what is said goes out in one note of a cover's size, for all readers and their author", async () => {
  const { box, ada, bea, thread } = await newsroom();
  const cover = (await note(ada)).sealed.length;
  say(ada, thread, "state", { state: "checking", text: "" });
  say(ada, thread, "note", { text: "see the archive" });
  assert.equal(new Cases(ada).of(thread).history.every(({ note: id }) => id === WAITING), true);
  const sent = await sync(ada, box);
  assert.equal(sent.size, cover);
  const { letter } = await opened(sent.sealed, "bea");
  assert.deepEqual([letter.to, letter.language, letter.author], [["ada", "bea"], "nl", "ada"]);
  await assert.rejects(opened(sent.sealed, "cyn"), NotForYou);
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread), ["", "see the archive"]);
  assert.equal(new Cases(bea).of(thread).stands, "checking");
  assert.equal(waits(ada), false);
  await box.fill(ada);
  assert.deepEqual(ada.state.says, []);
});

test("much that is said takes several syncs, and comes in its order", async () => {
  const { box, ada, bea, thread } = await newsroom();
  const said = [1, 2, 3, 4, 5, 6, 7].map((n) => `${n} ${"x".repeat(3900)}`);
  for (const text of said) say(ada, thread, "note", { text });
  const sizes = new Set();
  for (let rounds = 0; waits(ada); rounds++) {
    sizes.add((await sync(ada, box)).size);
    assert.ok(rounds < 5);
  }
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread), said);
  assert.equal(sizes.size, 1);
});

test("what was said before something new came and after it goes in two notes", async () => {
  const { box, ada, bea, thread } = await newsroom();
  say(ada, thread, "note", { text: "before" });
  say(bea, thread, "note", { text: "meanwhile" });
  const theirs = await sync(bea, box);
  await box.fill(ada);
  say(ada, thread, "note", { text: "after" });
  const { letter: first } = await opened((await sync(ada, box)).sealed, "bea");
  const { letter: second } = await opened((await sync(ada, box)).sealed, "bea");
  const { letter } = await opened(theirs.sealed, "ada");
  const id = [...ada.state.entries.values()].find((one) => one.letter?.message === letter.message).note;
  assert.deepEqual(first.case.after, []);
  assert.ok(second.case.after.includes(id));
  assert.equal(second.case.after.length, 2, "and always one's own last");
  await box.fill(ada);
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread).at(-1), "after");
  assert.deepEqual(new Cases(ada).of(thread), new Cases(bea).of(thread));
});

test("the record of a reply and what is said in its case go in one note", async () => {
  const { box, ada, bea, thread } = await newsroom();
  const { letter } = [...ada.state.entries.values()][0];
  queue(ada, letter, "Who are you?", TODAY);
  await post(ada, randomBytes(64 * LINE), TODAY);
  say(ada, thread, "state", { state: "investigating", text: "" });
  await sync(ada, box);
  assert.equal(waits(ada), false);
  await box.fill(bea);
  const told = [...bea.state.entries.values()].at(-1);
  assert.deepEqual([told.text, told.letter.reply.lines], ["Who are you?", [0]]);
  assert.equal(new Cases(bea).of(thread).stands, "investigating");
});

test("a note that never reached the box is not told, and one that it lost is said again", async () => {
  const { box, ada, bea, thread } = await newsroom();
  say(ada, thread, "note", { text: "once" });
  haveRead(ada, [...ada.state.entries.values()]);
  await note(ada); // The connection broke.
  assert.ok(waits(ada));
  await sync(ada, box);
  assert.equal(waits(ada), false);
  box.drops.pop();
  await sync(ada, box);
  await sync(ada, box);
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread).filter(Boolean), ["once"]);
  assert.equal(new Cases(bea).of(thread).reads.size, 1);
});

test("that a drop was read is told once, when there is nothing else to say", async () => {
  const { box, ada, bea, thread } = await newsroom();
  haveRead(ada, [...ada.state.entries.values()]);
  const [times] = new Cases(ada).of(thread).reads.values();
  assert.deepEqual([...times.keys()], ["ada"]);
  await sync(ada, box);
  await box.fill(bea);
  assert.equal(new Cases(bea).of(thread).reads.size, 1);
  assert.ok([...bea.state.entries.keys()].every((id, at) => at === 0 || bea.state.shown.has(id)), "no news");
  await box.fill(ada);
  haveRead(ada, [...ada.state.entries.values()]);
  assert.equal(waits(ada), false);
});

test("what was read in several cases goes together where their readers are the same", async () => {
  const { box, ada } = await newsroom();
  box.put(await fromSource(randomBytes(32), ["ada", "bea"]));
  box.put(await fromSource(randomBytes(32), ["ada", "cyn"]));
  await box.fill(ada);
  haveRead(ada, [...ada.state.entries.values()]);
  const said = [];
  while (waits(ada)) said.push((await opened((await sync(ada, box)).sealed, "ada")).letter);
  const counts = said.map(({ to, case: { says } }) => [to, says.flatMap((one) => one.messages).length]);
  assert.deepEqual(counts, [[["ada", "bea"], 2], [["ada", "cyn"], 1]]);
});

test("who may not read a case says nothing in it", async () => {
  const { ada, thread } = await newsroom();
  const cyn = desk("cyn", structuredClone(ada.state));
  assert.throws(() => say(cyn, thread, "note", { text: "hello" }), RangeError);
  assert.throws(() => say(ada, hex(randomBytes(32)), "note", { text: "hello" }), RangeError);
  assert.throws(() => say(ada, thread, "note", { text: "" }), RangeError);
  assert.deepEqual([cyn.state.says, ada.state.says], [[], []]);
});

test("a case that is passed on is read by whom it was not sealed to first, each thing once", async () => {
  const { box, ada, thread } = await newsroom();
  const first = box.drops[0].sealed;
  say(ada, thread, "label", { label: "harbour", set: true });
  const before = await sync(ada, box);
  await box.fill(ada);
  say(ada, thread, "widen", { to: ["cyn"] });
  await sync(ada, box);
  const cyn = desk("cyn");
  for (const sealed of [new Blob([first]), before.sealed, new Blob([first])]) {
    box.put(Buffer.from(await sealedTo(await plaintext(sealed, "ada"), "cyn")));
  }
  await box.fill(cyn);
  assert.deepEqual([...cyn.state.entries.values()].map(({ problem }) => problem), ["", "", ""]);
  const told = new Cases(cyn).of(thread);
  assert.deepEqual([[...told.readers], told.labels], [["ada", "bea", "cyn"], ["harbour"]]);
  assert.deepEqual([told.missing, told.refused], [new Set(), []]);
  say(cyn, thread, "note", { text: "from the valley" });
  assert.deepEqual((await opened((await sync(cyn, box)).sealed, "bea")).letter.to, names);
  // A copy that the source itself had sealed to its reader is told.
  box.put(Buffer.from(await sealedTo(await plaintext(new Blob([first]), "ada"), "ada")));
  await box.fill(ada);
  assert.equal([...ada.state.entries.values()].at(-1).problem, "copy");
});

test("the forgery of a note does not take its place", async () => {
  const { box, ada, bea, thread } = await newsroom();
  say(ada, thread, "state", { state: "published", text: "" });
  const { sealed } = await sync(ada, box);
  const plain = await plaintext(sealed, "ada");
  const at = plain.indexOf("drop.sig\0") + 512;
  plain[at] ^= 1;
  const real = box.drops.pop();
  box.put(Buffer.from(await sealedTo(plain, "ada", "bea")));
  box.drops.push(real);
  await box.fill(bea);
  assert.deepEqual([...bea.state.entries.values()].map(({ forged }) => forged), [false, true, false]);
  assert.equal(new Cases(bea).of(thread).stands, "published");
});

test("a source cannot speak as a journalist, and who was not chosen lets nobody in", async () => {
  const { box, bea, thread } = await newsroom();
  const says = [{ id: "0".repeat(16), time: "2026-11-22T06:00Z", says: "widen", to: ["cyn"] }];
  const head = { version: 1, kind: "note", newsroom: edition.newsroom, thread, language: "en", to: ["bea"] };
  const more = { message: "0".repeat(32), answers: {}, read: [], case: { after: [], says } };
  for (const [author, seed] of [["ada", randomBytes(32)], ["cyn", people[2].seed]]) {
    box.put(Buffer.from((await sealNote({ ...head, ...more, author }, "", recipients, seed)).sealed));
  }
  await box.fill(bea);
  const told = new Cases(bea).of(thread);
  assert.deepEqual([...told.readers], ["ada", "bea"]);
  assert.deepEqual([told.history, told.refused.map(({ author }) => author)], [[], ["cyn"]]);
});

test("what a rotated journalist said counts, and what came late if a colleague had it", async () => {
  const { box, ada, bea, thread } = await newsroom();
  const newer = await journalistOf(await generateHybridIdentity());
  const former = [{ name: "ada", signer: recipients[0].signer, until: "2026-11-23" }];
  const listed = { name: "ada", title: "ada", recipient: newer.recipient, signer: hex(newer.signer) };
  const next = { ...edition, edition: 2, recipients: [listed, ...recipients.slice(1)], former };
  const says = (text) => [{ id: hex(randomBytes(8)), time: "2026-11-22T06:00Z", says: "note", text }];
  const noteOf = async (text, day, after = []) => {
    const head = { version: 1, kind: "note", newsroom: edition.newsroom, thread, language: "en" };
    const more = { message: hex(randomBytes(16)), to: ["bea"], answers: {}, read: [], author: "ada" };
    const letter = { ...head, ...more, case: { after, says: says(text) } };
    const made = await sealNote(letter, "", recipients, people[0].seed);
    box.put(Buffer.from(made.sealed));
    box.drops.at(-1).listed.day = day;
    return made.id;
  };
  const first = await noteOf("in time", "2026-11-23");
  const late = await noteOf("late", "2026-11-24", [first]);
  bea.edition = next;
  await box.fill(bea);
  const entries = [...bea.state.entries.values()];
  assert.deepEqual(entries.map(({ forged }) => forged), [false, false, false]);
  assert.deepEqual(entries.map((one) => one.late), [false, false, true]);
  assert.deepEqual(texts(bea, thread), ["in time"]);
  const [{ refused }, cases] = [new Cases(bea).of(thread), new Cases(bea)];
  assert.deepEqual(refused.map(({ id }) => id), [late]);
  assert.deepEqual(entries.map((one) => cases.believes(one)), [true, true, false]);
  say(bea, thread, "note", { text: "I had it" });
  bea.state.says[0].after.push(late);
  bea.state.says[0].after.sort();
  await sync(bea, box);
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread), ["in time", "late", "I had it"]);
  assert.ok(new Cases(bea).believes(entries[2]));

  // Ada's new identity opens what came for the old one, and her saved work.
  const both = { identities: [...newer.identities, ...people[0].identities] };
  const mine = { ...newer, ...both, signers: [newer.signer, people[0].signer] };
  const saved = new Blob([await sealState(ada.state, people[0])]);
  const again = { ...desk("ada", await openState(saved, mine)), edition: next, journalist: mine };
  await box.fill(again);
  assert.deepEqual(texts(again, thread), ["I had it"]);
  say(again, thread, "note", { text: "with a new key" });
  await sync(again, box);
  await box.fill(bea);
  assert.deepEqual(texts(bea, thread).at(-1), "with a new key");
});

test("a day that the box dates back is taken for the newest that was seen", async () => {
  const { ada, bea, thread, box } = await newsroom();
  say(ada, thread, "note", { text: "x" });
  const { sealed, id } = await sync(ada, box);
  const former = [{ name: "ada", signer: recipients[0].signer, until: TODAY }];
  bea.edition = { ...edition, recipients: recipients.slice(1), former };
  bea.place = 0;
  const listed = { id, size: 1, day: TODAY };
  assert.equal((await takeIn(structuredClone(bea), listed, sealed, TODAY)).late, false);
  assert.equal((await takeIn(structuredClone(bea), listed, sealed, "2026-11-23")).late, true);
});

test("what was forged is judged again by a newer edition", async () => {
  const { bea } = await newsroom();
  const [id] = bea.state.entries.keys();
  bea.state.cursor = "aa-1";
  judgeAgain(bea.state, 1);
  assert.deepEqual([bea.state.entries.size, bea.state.cursor, bea.state.edition], [1, "aa-1", 1]);
  bea.state.entries.get(id).forged = true;
  judgeAgain(bea.state, 1);
  assert.equal(bea.state.entries.size, 1);
  judgeAgain(bea.state, 2);
  assert.deepEqual([bea.state.entries.size, bea.state.cursor], [0, ""]);
});

randomly("two desks and a box that loses, repeats and swallows come to one case", async (below) => {
  for (let round = 0; round < 2; round++) {
    const { box, ada, bea, thread } = await newsroom();
    const desks = [ada, bea];
    const said = { ada: [], bea: [] };
    for (let step = 0; step < 14; step++) {
      const at = desks[below(2)];
      const text = `${at.name} ${step} ${"x".repeat(below(2) * 3000)}`;
      const what = below(8);
      if (what < 3) {
        const kinds = { state: { state: "checking", text }, note: { text }, task: { text, to: "ada" } };
        const kind = Object.keys(kinds)[what];
        say(at, thread, kind, kinds[kind]);
        said[at.name].push(text);
      } else if (what === 3) {
        haveRead(at, [...at.state.entries.values()]);
      } else if (what === 4) {
        box.put(box.drops[below(box.drops.length)].sealed);
      } else if (what === 5) {
        await box.fill(at);
      } else {
        await box.fill(at);
        const { sealed, sent } = await note(at);
        const fate = below(5); // Stored; lost on the way; stored without an answer; swallowed.
        if (fate !== 1 && fate !== 3) box.put(sealed);
        if (fate !== 1 && fate !== 2) sent();
      }
    }
    for (const at of desks) {
      at.state = await openState(new Blob([await sealState(at.state, at.journalist)]), at.journalist);
    }
    for (const at of desks) {
      for (let rounds = 0; rounds === 0 || waits(at); rounds++) {
        await sync(at, box);
        assert.ok(rounds < 30, "what waits gets said");
      }
    }
    for (const at of desks) await box.fill(at);
    const [one, other] = desks.map((at) => new Cases(at).of(thread));
    assert.deepEqual(one, other);
    for (const at of desks) {
      const told = one.history.filter(({ author }) => author === at.name).map((it) => it.statement.text);
      assert.deepEqual(told.filter(Boolean).sort(), said[at.name].sort(), "all of it, and once");
      assert.deepEqual(at.state.says, []);
    }
  }
});
