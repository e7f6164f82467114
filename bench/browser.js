// Runs in Firefox for bench/browser.py: each function gives the seconds that one way of sealing takes.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { seal } from "../site/scripts/drop.js";
import { sumsOf } from "../site/scripts/file.js";

const CHUNK = 64 * 1024;
const random = (size) => crypto.getRandomValues(new Uint8Array(size));
const chunks = (bytes) => (bytes >> 16) || 1;

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** A drop as the send page seals it, to `count` recipients of whom one is chosen. */
async function page(bytes, count = 3) {
  const recipients = [];
  for (let i = 0; i < count; i++) {
    recipients.push({ name: `r${i}`, recipient: await identityToRecipient(await generateHybridIdentity()) });
  }
  const file = new File(Array(chunks(bytes)).fill(random(CHUNK)), "file");
  const draft = {
    newsroom: "bench",
    language: "en",
    thread: random(32),
    to: ["r0"],
    answers: {},
    read: [],
    text: "",
    files: [{ name: "file", file, sums: Promise.resolve(await sumsOf(file)) }],
  };
  return seconds(async () => {
    for await (const part of seal(draft, recipients)) part.length;
  });
}

/** The browser's own AES-256-GCM in the same chunks. */
async function webcrypto(bytes) {
  const key = await crypto.subtle.importKey("raw", random(32), "AES-GCM", false, ["encrypt"]);
  const chunk = random(CHUNK);
  return seconds(async () => {
    for (let i = 0; i < chunks(bytes); i++) {
      await crypto.subtle.encrypt({ name: "AES-GCM", iv: random(12) }, key, chunk);
    }
  });
}

/** noble's ChaCha20-Poly1305 in the same chunks: what an age file cannot be faster than. */
async function noble(bytes) {
  const key = random(32);
  const chunk = random(CHUNK);
  return seconds(async () => {
    for (let i = 0; i < chunks(bytes); i++) {
      chacha20poly1305(key, random(12)).encrypt(chunk);
    }
  });
}

globalThis.bench = { page, webcrypto, noble };
