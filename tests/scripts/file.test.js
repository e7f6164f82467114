import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { openAsBlob } from "node:fs";
import { appendFile, mkdtemp, open, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileChanged, SLICE, contents, sumsOf } from "../../site/scripts/file.js";

/** A file as a browser gives it: its size is that of a moment, a slice is what is there by now, or less. */
class OnDisk {
  name = "plan.doc";
  constructor(bytes, size = bytes.length) {
    Object.assign(this, { bytes, size, read: () => {} });
  }
  slice(from, to) {
    return { arrayBuffer: async () => (this.read(from), Uint8Array.from(this.bytes.slice(from, to)).buffer) };
  }
}

async function readAgain(file, sums) {
  const slices = [];
  for await (const slice of contents(file, sums)) slices.push(slice);
  return Buffer.concat(slices);
}

const named = (error) => error instanceof FileChanged && error.file === "plan.doc";

test("a file that stays is read whole, with or without the browser's own SHA-256", async (context) => {
  const one = new OnDisk(randomBytes(2 * SLICE + 5));
  const native = await sumsOf(one);
  assert.equal(native[2], createHash("sha256").update(one.bytes.subarray(2 * SLICE)).digest("hex"));
  assert.deepEqual(await readAgain(one, Promise.resolve(native)), one.bytes);
  context.mock.getter(globalThis, "crypto", () => ({}));
  assert.deepEqual(await sumsOf(one), native);
});

test("an empty file is read as nothing", async () => {
  assert.deepEqual(await readAgain(new OnDisk(Buffer.alloc(0)), Promise.resolve([])), Buffer.alloc(0));
});

test("one byte that changes anywhere between the two readings is noticed", async () => {
  for (const at of [0, 1, SLICE - 1, SLICE, SLICE + 77_777, 3 * SLICE - 1, 3 * SLICE + 4]) {
    const one = new OnDisk(randomBytes(3 * SLICE + 5));
    const sums = await sumsOf(one);
    one.bytes[at] ^= 1;
    await assert.rejects(readAgain(one, Promise.resolve(sums)), named);
  }
});

test("what was written while it was read first is never sent half old and half new", async () => {
  const one = new OnDisk(Buffer.alloc(4 * SLICE));
  one.read = (from) => {
    if (from === 2 * SLICE) one.bytes = Buffer.alloc(4 * SLICE, 1);
  };
  await assert.rejects(readAgain(one, sumsOf(one)), named);
});

test("a file that is shorter from the start than its size says is refused", async () => {
  const one = new OnDisk(Buffer.alloc(SLICE), 2 * SLICE);
  await assert.rejects(readAgain(one, sumsOf(one)), named);
});

test("a file that cannot be read, at first or again, is refused", async () => {
  const one = new OnDisk(Buffer.alloc(SLICE));
  const gone = new DOMException("", "NotReadableError");
  await assert.rejects(readAgain(one, Promise.reject(gone)), named);
  const sums = await sumsOf(one);
  one.read = () => {
    throw gone;
  };
  await assert.rejects(readAgain(one, Promise.resolve(sums)), named);
});

test("a file that is removed from the list is read no further", async () => {
  const dropped = new AbortController();
  const one = new OnDisk(Buffer.alloc(4 * SLICE));
  const seen = [];
  one.read = (from) => {
    seen.push(from);
    if (from === SLICE) dropped.abort();
  };
  await assert.rejects(sumsOf(one, dropped.signal), { name: "AbortError" });
  assert.deepEqual(seen, [0, SLICE]);
});

const edits = {
  "is edited in place": async (path) => {
    const same = await open(path, "r+");
    await same.write(Buffer.from("x"), 0, 1, SLICE + 4321);
    await same.close();
  },
  "is edited in place and keeps its date": async (path) => {
    const { atime, mtime } = await stat(path);
    await edits["is edited in place"](path);
    await utimes(path, atime, mtime);
  },
  "is appended to": (path) => appendFile(path, "more"), // Node minds what a browser does not.
  "is cut short": (path) => truncate(path, SLICE),
  "is removed": (path) => rm(path),
};

for (const [how, edit] of Object.entries(edits)) {
  test(`a file on the disk that ${how} after it was chosen is refused`, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "knothole-"));
    context.after(() => rm(folder, { recursive: true }));
    const path = join(folder, "plan.doc");
    await writeFile(path, Buffer.alloc(3 * SLICE));
    const one = new File([await openAsBlob(path)], "plan.doc");
    const sums = await sumsOf(one);
    await edit(path);
    await assert.rejects(readAgain(one, Promise.resolve(sums)), named);
  });
}
