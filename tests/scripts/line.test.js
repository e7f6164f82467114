import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { framesOn, labelFor, repliesIn } from "../../site/scripts/line.js";
import { lineKey, threadKey } from "../../site/scripts/thread.js";
import { library } from "../support/vectors.mjs";

const { xchacha20poly1305 } = library("@noble/ciphers/chacha.js");
const { ed25519 } = library("@noble/curves/ed25519.js");

const newsroom = "5d41402abc4b2a76";
const thread = threadKey(randomBytes(16), newsroom);
const [ada, bo] = [randomBytes(32), randomBytes(32)];
const signers = [ada, bo].map((seed) => ed25519.getPublicKey(seed));

/** A line as a desk seals it; `by` signs, `as` is whose line it claims to be. */
function line(text, { by = ada, as = by, n = 0, i = 0, k = 1, reply = "0011223344556677" } = {}) {
  const bytes = Buffer.from(text);
  const frame = Buffer.alloc(1992);
  frame.set([1, ...Buffer.from(reply, "hex"), i, k, bytes.length >> 8, bytes.length & 255]);
  frame.set(bytes, 13);
  const head = [Buffer.from("knothole/v1/line"), Buffer.of(newsroom.length), Buffer.from(newsroom)];
  frame.set(ed25519.sign(Buffer.concat([...head, thread, Buffer.of(n), frame.subarray(0, 1928)]), by), 1928);
  const signer = ed25519.getPublicKey(as);
  const [label, nonce] = [labelFor(thread, signer, n), randomBytes(24)];
  const cipher = xchacha20poly1305(lineKey(thread, signer, n), nonce, label);
  return Buffer.concat([label, nonce, cipher.encrypt(frame)]);
}

async function read(...lines) {
  const cover = () => randomBytes(2048);
  const board = Buffer.concat([cover(), ...lines.flatMap((one) => [one, cover()])]);
  return repliesIn(await framesOn(board, thread, newsroom, signers));
}

const brief = ({ state, text, have, of }) => [state, text, `${have}/${of}`];

test("cover says nothing", async () => {
  assert.deepEqual(await read(), []);
});

test("a reply of four parts is joined in its order, through a split character", async () => {
  const bytes = Buffer.from("é".repeat(2000));
  const slice = (i) => bytes.subarray(i * 1001, (i + 1) * 1001);
  const parts = [0, 1, 2, 3].map((i) => line(slice(i), { n: i, i, k: 4 }));
  const [reply, ...others] = await read(parts[2], parts[0], parts[3], parts[1]);
  assert.deepEqual(others, []);
  assert.deepEqual(brief(reply), ["whole", "é".repeat(2000), "4/4"]);
});

test("a reply whose part is not there says so and shows nothing", async () => {
  const [reply] = await read(line("first", { i: 0, k: 2 }));
  assert.deepEqual(brief(reply), ["incomplete", "", "1/2"]);
});

test("a reply posted again under a fresh n is one reply", async () => {
  const replies = await read(line("hello", { n: 0 }), line("hello", { n: 1 }));
  assert.deepEqual(replies.map(brief), [["whole", "hello", "1/1"]]);
});

test("two lines under one label are both read", async () => {
  const other = { reply: "8899aabbccddeeff" };
  const replies = await read(line("one", { n: 5 }), line("two", { n: 5, ...other }));
  assert.deepEqual(replies.map(({ text }) => text).sort(), ["one", "two"]);
});

test("two journalists may pick the same reply id", async () => {
  const replies = await read(line("from bo", { by: bo }), line("from ada"));
  assert.deepEqual(replies.map(({ text }) => text), ["from ada", "from bo"]);
});

test("a forged part spoils no genuine reply, and all of one name make one entry", async () => {
  const forgeries = [0, 1, 2].map((n) => line("send the originals", { by: bo, as: ada, n }));
  const replies = await read(...forgeries, line("genuine", { n: 9 }));
  assert.deepEqual(replies.map(brief), [["forged", "", "1/1"], ["whole", "genuine", "1/1"]]);
  assert.equal(replies[0].signer, Buffer.from(signers[0]).toString("hex"));
});

test("parts that disagree on how many there are make no reply", async () => {
  const [reply] = await read(line("a", { n: 0, i: 0, k: 2 }), line("b", { n: 1, i: 1, k: 3 }));
  assert.equal(reply.state, "forged");
});

test("a line under another thread's label is no line of this one", async () => {
  const copy = line("hello");
  copy.set(labelFor(thread, signers[1], 0));
  assert.deepEqual(await read(copy), []);
});

test("a bit flipped anywhere leaves no reply", async () => {
  const whole = line("hello");
  for (const at of [0, 15, 16, 39, 40, 1000, 2047]) {
    const flipped = Buffer.from(whole);
    flipped[at] ^= 1;
    assert.deepEqual(await read(flipped), []);
  }
});
