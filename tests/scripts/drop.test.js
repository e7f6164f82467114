import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { openAsBlob } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PART, measure, seal } from "../../site/scripts/drop.js";
import { FileChanged, sumsOf } from "../../site/scripts/file.js";
import { padded } from "../../site/scripts/padding.js";
import { randomly } from "../support/random.mjs";
import { library } from "../support/vectors.mjs";

const { Decrypter, generateHybridIdentity, identityToRecipient } = library("age-encryption");

const identities = await Promise.all(["ada", "bo", "cor"].map(() => generateHybridIdentity()));
const encoded = await Promise.all(identities.map(identityToRecipient));
const recipients = encoded.map((recipient, at) => ({ name: "abc"[at], recipient }));
const thread = randomBytes(32);

function draft(more = {}) {
  const head = { newsroom: "5d41402abc4b2a76", language: "en", thread, to: ["a"], answers: {}, read: [] };
  return { ...head, text: "hello", files: [], ...more };
}

const attached = (name, one) => ({ name, file: one, sums: sumsOf(one) });
const file = (name, bytes) => attached(name, new File([bytes], name, { lastModified: 1 }));

async function sealed(what, to = recipients) {
  const parts = [];
  for await (const part of seal(what, to)) parts.push(part);
  return parts;
}

function open(parts, identity) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(new Uint8Array(Buffer.concat(parts)));
}

/** What Debian's tar makes of it: member names, and their contents. */
function untar(bytes) {
  const run = (...args) => {
    const { status, stdout, stderr } = spawnSync("tar", args, { input: bytes, maxBuffer: 2 ** 30 });
    assert.equal(stderr.toString(), "");
    assert.equal(status, 0);
    return stdout;
  };
  const names = run("-tf", "-").toString().trim().split("\n");
  return Object.fromEntries(names.map((name) => [name, run("-xOf", "-", name)]));
}

test("a chosen recipient opens it, and it is a tar of just what was sent", async () => {
  const scan = randomBytes(3 * PART + 77);
  const answers = { evidence: "minutes, “signed”" };
  const files = [file("scan.bin", scan), file("empty", ""), file("note.txt", "see page 3")];
  const read = ["0011223344556677"];
  const parts = await sealed(draft({ text: "Ætt 🗝\n", to: ["a", "c"], answers, files, read }));
  for (const at of [0, 2]) {
    const plain = await open(parts, identities[at]);
    assert.equal(plain.length, padded(plain.length));
    const { "drop.json": described, ...others } = untar(plain);
    const { message, ...rest } = JSON.parse(described);
    assert.match(message, /^[0-9a-f]{32}$/);
    assert.deepEqual(rest, {
      version: 1,
      kind: "drop",
      newsroom: "5d41402abc4b2a76",
      thread: thread.toString("hex"),
      language: "en",
      to: ["a", "c"],
      answers,
      read,
    });
    assert.deepEqual(others, {
      "message.txt": Buffer.from("Ætt 🗝\n"),
      "files/scan.bin": scan,
      "files/empty": Buffer.alloc(0),
      "files/note.txt": Buffer.from("see page 3"),
    });
  }
});

test("who was not chosen opens nothing, and has a stanza like the others", async () => {
  const parts = await sealed(draft({ to: ["b"] }));
  for (const at of [0, 2]) await assert.rejects(open(parts, identities[at]), /no identity matched/);
  const [header] = Buffer.concat(parts).toString("latin1").split("\n--- ");
  const stanzas = header.split("\n-> ").slice(1);
  const shapes = stanzas.map((stanza) => [stanza.length, stanza.split(" ")[0]]);
  assert.deepEqual(shapes, Array(3).fill([1553, "mlkem768x25519"]));
});

test("the same draft twice shares no message id and no stanza", async () => {
  const [one, two] = [await sealed(draft()), await sealed(draft())];
  const idOf = async (parts) => JSON.parse(untar(await open(parts, identities[0]))["drop.json"]).message;
  assert.notEqual(await idOf(one), await idOf(two));
  assert.notDeepEqual(one[0].subarray(0, 2000), two[0].subarray(0, 2000));
});

randomly("the size is known beforehand, of a small closed set, in parts of 1 MiB", async (below) => {
  for (let round = 0; round < 12; round++) {
    const [few, bytes] = [recipients.slice(0, 1 + below(3)), 2 ** (2 + below(20)) + below(4096)];
    const what = draft({ text: "x".repeat(below(9000)), files: [file("a", Buffer.alloc(bytes))] });
    const { size, plain } = measure(what, few.length);
    const parts = await sealed(what, few);
    assert.equal(parts.length, Math.ceil(size / PART));
    assert.ok(parts.slice(0, -1).every(({ length }) => length === PART));
    assert.equal(Buffer.concat(parts).length, size);
    assert.equal(plain, padded(plain));
  }
});

test("all short messages are of one size, and 20,000 sizes of files become a few hundred", () => {
  const sizes = (drafts) => new Set(drafts.map((one) => measure(one, 3).size));
  const short = Array.from({ length: 1000 }, (_, at) => draft({ text: "x".repeat(12 * at) }));
  assert.equal(sizes(short).size, 1);
  const files = Array.from({ length: 20_000 }, (_, at) => ({ name: "a", file: { size: at * 100_000 } }));
  assert.ok(sizes(files.map((one) => draft({ files: [one] }))).size < 500);
});

test("a drop past 4 GiB is measured exactly", () => {
  const one = draft({ files: [{ name: "a", file: { size: 5 * 2 ** 30 } }] });
  const { plain, size } = measure(one, 2);
  assert.equal(plain, padded(5 * 2 ** 30 + 4096));
  assert.equal(size, 22 + 48 + 2 * 1557 + 16 + plain + 16 * Math.ceil(plain / 65536));
});

test("a file is read as its parts are asked for, 1 MiB at a time", async () => {
  let reads = 0;
  class Counted extends File {
    slice(from, to) {
      if (to - from === PART) reads++;
      assert.ok(to - from <= PART);
      return super.slice(from, to);
    }
  }
  const one = attached("a", new Counted([Buffer.alloc(20 * PART)], "a"));
  await one.sums;
  reads = 0;
  const parts = seal(draft({ files: [one] }), recipients);
  for (let taken = 1; taken <= 20; taken++) {
    await parts.next();
    assert.ok(reads >= taken - 1 && reads <= taken + 1, `${reads} slices were read for ${taken} parts`);
  }
  await parts.return();
  assert.ok(reads <= 21);
});

test("a file that changed after it was chosen is named, by what the source calls it", async () => {
  const other = new File([Buffer.alloc(PART, 1)], "plan.doc");
  const one = { ...file("plan-2.doc", Buffer.alloc(PART)), file: other };
  const named = (error) => error instanceof FileChanged && error.file === "plan.doc";
  await assert.rejects(sealed(draft({ files: [one] })), named);
});

test("the age file is binary and begins as one", async () => {
  const [first] = await sealed(draft());
  assert.equal(Buffer.from(first).toString("latin1", 0, 39), "age-encryption.org/v1\n-> mlkem768x25519");
});

test("what Node reads back from a drop's file is what was on the disk", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "knothole-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "scan.bin");
  await writeFile(path, randomBytes(2 * PART + 5));
  const files = [attached("scan.bin", new File([await openAsBlob(path)], "scan.bin"))];
  const plain = await open(await sealed(draft({ files })), identities[0]);
  assert.deepEqual(untar(plain)["files/scan.bin"], await readFile(path));
});
