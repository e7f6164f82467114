import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { CONTENT, read, signedBy } from "../../site/scripts/desk-drop.js";
import { journalistOf } from "../../site/scripts/desk-identity.js";
import { isSmallest, noteId, sealCover, sealNote } from "../../site/scripts/desk-note.js";
import { BadDrop, NotForYou } from "../../site/scripts/desk-reader.js";
import { seal } from "../../site/scripts/drop.js";
import { sumsOf } from "../../site/scripts/file.js";
import { padded } from "../../site/scripts/padding.js";
import { header } from "../../site/scripts/tar.js";
import { randomly } from "../support/random.mjs";
import { library } from "../support/vectors.mjs";

const { Encrypter, generateHybridIdentity } = library("age-encryption");

const names = ["ada", "bo", "cor"];
const people = await Promise.all(names.map(async () => journalistOf(await generateHybridIdentity())));
const recipients = people.map(({ recipient }, at) => ({ name: names[at], recipient }));
const signers = people.map(({ signer }) => Buffer.from(signer).toString("hex"));
const thread = "ab".repeat(32);

function letter(more = {}) {
  const ids = { newsroom: "5d41402abc4b2a76", message: "0".repeat(32), thread };
  return { version: 1, kind: "drop", ...ids, language: "en", to: ["ada"], answers: {}, read: [], ...more };
}

const describe = (more) => JSON.stringify(letter(more));
const reader = (at, place = at) => ({ identities: people[at].identities, place });

async function sealTo(plain, to = recipients) {
  const age = new Encrypter();
  for (const { recipient } of to) age.addRecipient(recipient);
  return new Blob([await age.encrypt(new Uint8Array(plain))]);
}

/** A sealed tar of any members at all; `tail` follows it. */
function tarred(members, tail = Buffer.alloc(1024)) {
  const blocks = members.flatMap(([name, content, size = Buffer.byteLength(content)]) => {
    const bytes = Buffer.from(content);
    return [header(name, size), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return sealTo(Buffer.concat([...blocks, tail]));
}

const whole = [["drop.json", describe()], ["message.txt", "hello"]];

async function refused(sealed, reason = "format", at = 0) {
  await assert.rejects(read(await sealed, reader(at)), (error) => {
    return error instanceof BadDrop && error.reason === reason;
  });
}

test("what the page seals is read, from any place in the header", async () => {
  const scan = randomBytes(200_000);
  const file = new File([scan], "scan.bin", { lastModified: 1 });
  const draft = { newsroom: "5d41402abc4b2a76", language: "nl", thread: randomBytes(32), to: ["ada", "cor"] };
  const files = [{ name: "scan.bin", file, sums: sumsOf(file) }];
  const parts = [];
  const said = { ...draft, answers: { evidence: "minutes" }, read: [], text: "Ætt 🗝\n", files };
  for await (const part of seal(said, recipients)) parts.push(part);
  const sealed = new Blob(parts);
  for (const [at, place] of [[0, 0], [2, 2], [2, 0], [0, 63]]) {
    const drop = await read(sealed, reader(at, place), "scan.bin");
    assert.equal(drop.text, "Ætt 🗝\n");
    assert.deepEqual(drop.letter.to, ["ada", "cor"]);
    assert.deepEqual(drop.files, [{ name: "scan.bin", size: 200_000 }]);
    assert.deepEqual(Buffer.from(await drop.content.arrayBuffer()), scan);
  }
  assert.equal((await read(sealed, reader(0))).content, null);
  await assert.rejects(read(sealed, reader(1)), NotForYou);
});

test("a note is signed, and by nobody else", async () => {
  const reply = { id: "0".repeat(16), lines: [3, 4] };
  const said = letter({ kind: "note", author: "bo", reply, to: names });
  const { sealed, id } = await sealNote(said, "We answered.", recipients, people[1].seed);
  const note = new Blob([sealed]);
  const drop = await read(note, reader(2));
  assert.deepEqual([drop.letter, drop.text], [said, "We answered."]);
  assert.equal(noteId(drop.digest), id);
  assert.deepEqual(signers.map((signer) => signedBy(drop, signer)), [false, true, false]);
});

test("a note with a longer text has another size, and a cover has that of a short one", async () => {
  const said = letter({ kind: "note", author: "bo" });
  const size = async (text) => (await sealNote(said, text, recipients, people[1].seed)).sealed.length;
  const cover = await sealCover(3);
  assert.equal(cover.length, await size("short"));
  assert.equal(await size("x".repeat(7660)), await size("short"));
  const fits = (length) => isSmallest(said, "x".repeat(length));
  let most = 7660;
  while (fits(most + 1)) most++;
  assert.equal(await size("x".repeat(most)), cover.length);
  assert.notEqual(await size("x".repeat(most + 1)), cover.length);
  for (const at of [0, 1, 2]) await assert.rejects(read(new Blob([cover]), reader(at)), NotForYou);
});

test("an age file that holds no drop is a file that was sealed by hand", async () => {
  for (const bytes of [Buffer.from("short"), Buffer.concat([Buffer.alloc(4), randomBytes(100_000)])]) {
    const drop = await read(await sealTo(bytes), reader(0), CONTENT);
    assert.equal(drop.letter, null);
    assert.deepEqual(drop.files, [{ name: CONTENT, size: bytes.length }]);
    assert.deepEqual(Buffer.from(await drop.content.arrayBuffer()), bytes);
  }
});

test("a drop that is cut short, or in which a bit is flipped, is refused", async () => {
  const made = await tarred([...whole, ["files/a", randomBytes(200_000)]]);
  const sealed = Buffer.from(await made.arrayBuffer());
  for (const cut of [10, 3000, 10_000, sealed.length - 1]) {
    await refused(new Blob([sealed.subarray(0, cut)]), "age");
  }
  await refused(new Blob([sealed, "x"]), "age");
  for (const at of [100, sealed.length - 150_000, sealed.length - 1]) {
    const flipped = Buffer.from(sealed);
    flipped[at] ^= 1;
    const error = await read(new Blob([flipped]), reader(0)).catch((found) => found);
    assert.ok(error instanceof BadDrop || error instanceof NotForYou, String(error));
  }
});

test("a header that never ends is not searched for its end", async () => {
  await refused(new Blob([Buffer.alloc(4 << 20, "age-encryption.org/v1")]), "age");
});

test("what a tar holds beside what a drop has is refused", async () => {
  const zeros = Buffer.alloc(1024);
  const more = (...members) => refused(tarred([...whole, ...members]));
  await more(["files/../../x", "x"]);
  await more(["files//etc/passwd", "x"]);
  await more(["/files/x", "x"]);
  await more(["x", "x"]);
  await more(["files/\u202egnp.exe", "x"]);
  await more(["files/CON.txt", "x"]);
  await more(["files/A.txt", "x"], ["files/a.TXT", "y"]);
  await more(["files/a", "x"], ["drop.sig", "x".repeat(64)]);
  await more(...Array.from({ length: 1001 }, (_, n) => [`files/${n}`, ""]));
  await refused(tarred(whole, Buffer.concat([zeros, Buffer.from("hidden")])));
  await refused(tarred(whole, Buffer.alloc(512)));
  await refused(tarred([["message.txt", "x"], ["drop.json", describe()]].reverse().slice(0, 1)));
  await refused(tarred([["drop.json", describe()], ["message.txt", Buffer.from([0xff, 0xfe])]]));
  await refused(tarred([["drop.json", describe()], ["message.txt", "x".repeat(256 * 1024 + 1)]]));
});

test("a member that claims four GiB takes no memory, and is refused", async () => {
  await refused(tarred([...whole, ["files/big", "only this", 2 ** 32]]));
  await refused(tarred([["drop.json", describe(), 2 ** 32]]));
});

test("ten thousand empty files are refused at the first too many", async () => {
  await refused(tarred([...whole, ...Array.from({ length: 10_000 }, (_, n) => [`files/f${n}`, ""])]));
});

test("a header's other spellings are refused", async () => {
  const sealed = async (change) => {
    const block = Buffer.from(header("files/a", 1));
    change(block);
    const rest = Buffer.concat([block, Buffer.alloc(512 + 1024)]);
    return tarred(whole, rest);
  };
  await refused(sealed((block) => block.write("0000644", 100)));
  await refused(sealed((block) => block.write("2", 156)));
  await refused(sealed((block) => block.write("root", 265)));
  await refused(sealed((block) => block.write(" ", 124)));
  await refused(sealed((block) => block.fill(0, 257, 263)));
});

test("a note without a signature, and one with a file behind it, are refused", async () => {
  const note = [["drop.json", describe({ kind: "note", author: "ada" })], ["message.txt", ""]];
  await refused(tarred(note));
  await refused(tarred([...note, ["drop.sig", "x".repeat(63)]]));
  await refused(tarred([...note, ["drop.sig", "x".repeat(64)], ["files/a", "x"]]));
});

const note = { kind: "note", author: "ada" };
const WRONG = {
  "no JSON": "{",
  "a list": "[]",
  "nothing": "null",
  "deep": "[".repeat(100_000),
  "a key twice": describe().replace("{", '{"version":1,'),
  "a key twice, spelled otherwise": describe().replace("{", '{"\\u0076ersion":1,'),
  "a key more": describe({ more: 1 }),
  "a key less": describe({ read: undefined }),
  "another version": describe({ version: 2 }),
  "a version with a fraction": describe().replace('"version":1', '"version":1.0'),
  "a version with an exponent": describe().replace('"version":1', '"version":1e0'),
  "another kind": describe({ kind: "drip" }),
  "an author": describe({ author: "ada" }),
  "a thread that is short": describe({ thread: "ab" }),
  "a thread in capitals": describe({ thread: "AB".repeat(32) }),
  "nobody": describe({ to: [] }),
  "somebody twice": describe({ to: ["ada", "ada"] }),
  "a name that is none": describe({ to: ["<b>"] }),
  "an answer that is no text": describe({ answers: { a: 1 } }),
  "half a character": describe({ answers: { a: "X" } }).replace("X", "\\ud800"),
  "a language that is none": describe({ language: "en<script>" }),
  "a reply that is no record": describe({ ...note, reply: { id: "0".repeat(16), lines: [256] } }),
  "a canary that records": describe({ ...note, canary: true, reply: { id: "0".repeat(16), lines: [1] } }),
  "a case of a source's": describe({ case: { after: [], says: [{}] } }),
  "a case in which nothing is said": describe({ ...note, case: { after: [], says: [] } }),
  "a case in which something unknown is said": describe({ ...note, case: { after: [], says: [{}] } }),
};

for (const [what, described] of Object.entries(WRONG)) {
  const sealed = () => tarred([["drop.json", described], ["message.txt", ""]]);
  test(`drop.json: ${what} is refused`, () => refused(sealed()));
}

randomly("any plaintext is read, refused, or a file sealed by hand", async (below) => {
  const good = Buffer.concat([header("drop.json", 0), Buffer.from(describe())]);
  for (let round = 0; round < 60; round++) {
    const bytes = round % 2 ? Buffer.from(good) : randomBytes(1 + below(3000));
    for (let n = below(4); n > 0; n--) bytes[below(bytes.length)] = below(256);
    const found = await read(await sealTo(bytes), reader(0)).catch((error) => error);
    assert.ok(found instanceof BadDrop || found.letter === null, String(found));
  }
});

test("the smallest plaintext is that of every short message", () => assert.equal(padded(1024), 16384));
