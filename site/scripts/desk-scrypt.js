// scrypt (RFC 7914) as age uses it, r = 8 and p = 1. The library's own does not let the page answer its
// reader, and without a JIT compiler this takes minutes.

import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { breathe } from "./breathe.js";

const WORDS = 256; // of 32 bits in a block, 128 r bytes
const OFTEN = 16; // blocks between two looks at the clock
const LONGEST = 100; // milliseconds between two reports

/**
 * 32 bytes from a password. Takes 2 ** (logN + 10) bytes of memory.
 * @param {Uint8Array} password
 * @param {Uint8Array} salt
 * @param {number} logN
 * @param {(share: number) => void} report how much is done, of 1
 */
export async function scrypt(password, salt, logN, report) {
  const count = 2 ** logN;
  let block = words(pbkdf2(sha256, password, salt, { c: 1, dkLen: 4 * WORDS }));
  let other = new Int32Array(WORDS);
  const kept = new Int32Array(count * WORDS);
  let last = 0;
  for (let i = 0; i < count; i++) {
    if (i % OFTEN === 0) last = await pause(last, i / count / 2, report);
    kept.set(block, i * WORDS);
    mix(block, other);
    [block, other] = [other, block];
  }
  for (let i = 0; i < count; i++) {
    if (i % OFTEN === 0) last = await pause(last, 0.5 + i / count / 2, report);
    const at = (block[WORDS - 16] & (count - 1)) * WORDS;
    for (let word = 0; word < WORDS; word++) block[word] ^= kept[at + word];
    mix(block, other);
    [block, other] = [other, block];
  }
  report(1);
  return pbkdf2(sha256, password, bytes(block), { c: 1, dkLen: 32 });
}

/**
 * Reports and lets the page answer its reader, if that was long ago; when it was last.
 * @param {number} last
 * @param {number} share
 * @param {(share: number) => void} report
 */
async function pause(last, share, report) {
  if (Date.now() - last < LONGEST) return last;
  report(share);
  await breathe();
  return Date.now();
}

/** @param {Uint8Array} from little-endian */
function words(from) {
  const view = new DataView(from.buffer, from.byteOffset);
  return Int32Array.from({ length: WORDS }, (_, at) => view.getInt32(4 * at, true));
}

/** @param {Int32Array} from */
function bytes(from) {
  const view = new DataView(new ArrayBuffer(4 * WORDS));
  from.forEach((word, at) => view.setInt32(4 * at, word, true));
  return new Uint8Array(view.buffer);
}

const salsa = new Int32Array(16);

/**
 * scryptBlockMix, RFC 7914 section 4.
 * @param {Int32Array} from
 * @param {Int32Array} to
 */
function mix(from, to) {
  salsa.set(from.subarray(WORDS - 16));
  for (let i = 0; i < 16; i++) {
    for (let word = 0; word < 16; word++) salsa[word] ^= from[16 * i + word];
    salsa208(salsa);
    to.set(salsa, i % 2 === 0 ? 8 * i : 8 * (i - 1) + WORDS / 2);
  }
}

/**
 * Salsa20/8, RFC 7914 section 3, in place. Spelled out: without a JIT compiler every call costs.
 * @param {Int32Array} x
 */
function salsa208(x) {
  let a = x[0], b = x[1], c = x[2], d = x[3];
  let e = x[4], f = x[5], g = x[6], h = x[7];
  let i = x[8], j = x[9], k = x[10], l = x[11];
  let m = x[12], n = x[13], o = x[14], p = x[15];
  let t;
  for (let round = 0; round < 4; round++) {
    e ^= ((t = (a + m) | 0) << 7) | (t >>> 25);
    i ^= ((t = (e + a) | 0) << 9) | (t >>> 23);
    m ^= ((t = (i + e) | 0) << 13) | (t >>> 19);
    a ^= ((t = (m + i) | 0) << 18) | (t >>> 14);
    j ^= ((t = (f + b) | 0) << 7) | (t >>> 25);
    n ^= ((t = (j + f) | 0) << 9) | (t >>> 23);
    b ^= ((t = (n + j) | 0) << 13) | (t >>> 19);
    f ^= ((t = (b + n) | 0) << 18) | (t >>> 14);
    o ^= ((t = (k + g) | 0) << 7) | (t >>> 25);
    c ^= ((t = (o + k) | 0) << 9) | (t >>> 23);
    g ^= ((t = (c + o) | 0) << 13) | (t >>> 19);
    k ^= ((t = (g + c) | 0) << 18) | (t >>> 14);
    d ^= ((t = (p + l) | 0) << 7) | (t >>> 25);
    h ^= ((t = (d + p) | 0) << 9) | (t >>> 23);
    l ^= ((t = (h + d) | 0) << 13) | (t >>> 19);
    p ^= ((t = (l + h) | 0) << 18) | (t >>> 14);
    b ^= ((t = (a + d) | 0) << 7) | (t >>> 25);
    c ^= ((t = (b + a) | 0) << 9) | (t >>> 23);
    d ^= ((t = (c + b) | 0) << 13) | (t >>> 19);
    a ^= ((t = (d + c) | 0) << 18) | (t >>> 14);
    g ^= ((t = (f + e) | 0) << 7) | (t >>> 25);
    h ^= ((t = (g + f) | 0) << 9) | (t >>> 23);
    e ^= ((t = (h + g) | 0) << 13) | (t >>> 19);
    f ^= ((t = (e + h) | 0) << 18) | (t >>> 14);
    l ^= ((t = (k + j) | 0) << 7) | (t >>> 25);
    i ^= ((t = (l + k) | 0) << 9) | (t >>> 23);
    j ^= ((t = (i + l) | 0) << 13) | (t >>> 19);
    k ^= ((t = (j + i) | 0) << 18) | (t >>> 14);
    m ^= ((t = (p + o) | 0) << 7) | (t >>> 25);
    n ^= ((t = (m + p) | 0) << 9) | (t >>> 23);
    o ^= ((t = (n + m) | 0) << 13) | (t >>> 19);
    p ^= ((t = (o + n) | 0) << 18) | (t >>> 14);
  }
  x[0] += a;
  x[1] += b;
  x[2] += c;
  x[3] += d;
  x[4] += e;
  x[5] += f;
  x[6] += g;
  x[7] += h;
  x[8] += i;
  x[9] += j;
  x[10] += k;
  x[11] += l;
  x[12] += m;
  x[13] += n;
  x[14] += o;
  x[15] += p;
}
