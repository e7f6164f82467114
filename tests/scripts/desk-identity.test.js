import assert from "node:assert/strict";
import { test } from "node:test";
import { BadIdentity, acting, journalistOf, unlock } from "../../site/scripts/desk-identity.js";
import { scrypt } from "../../site/scripts/desk-scrypt.js";
import { randomly } from "../support/random.mjs";
import { library } from "../support/vectors.mjs";

const { Encrypter, generateHybridIdentity, generateX25519Identity } = library("age-encryption");
const { scrypt: theirs } = library("@noble/hashes/scrypt.js");

const quiet = () => {};
const identity = await generateHybridIdentity();

async function locked(text, passphrase = "correct horse", work = 4) {
  const age = new Encrypter();
  age.setPassphrase(passphrase);
  age.setScryptWorkFactor(work);
  return age.encrypt(text);
}

const refuses = (reason) => (error) => error instanceof BadIdentity && error.reason === reason;

test("the vector of RFC 7914 with r = 8 and p = 1, of which age takes half", async () => {
  const [password, salt] = ["pleaseletmein", "SodiumChloride"].map((text) => new TextEncoder().encode(text));
  const key = Buffer.from(await scrypt(password, salt, 14, quiet));
  assert.equal(key.toString("hex"), "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
});

randomly("it is the scrypt of the library", async (below) => {
  for (let round = 0; round < 20; round++) {
    const bytes = () => Uint8Array.from({ length: below(40) }, () => below(256));
    const [password, salt, logN] = [bytes(), bytes(), 1 + below(6)];
    const expected = theirs(password, salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 });
    assert.deepEqual(await scrypt(password, salt, logN, quiet), expected);
  }
});

test("it says how far it is, to the end", async () => {
  const shares = [];
  await scrypt(new Uint8Array(1), new Uint8Array(1), 14, (share) => shares.push(share));
  assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
  assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
});

test("it lets others run meanwhile", async () => {
  let done = false;
  const first = new Promise((resolve) => setTimeout(() => resolve(done)));
  // However fast the machine, a second of work is not done in one turn; `done` ends it where it would be.
  const most = performance.now() + 1000;
  while (performance.now() < most) await scrypt(new Uint8Array(1), new Uint8Array(1), 10, quiet);
  done = true;
  assert.equal(await first, false);
});

test("an identity file opens with its passphrase", async () => {
  const file = await locked(`# name: ada\n${identity}\n`, "wachtwoordzin é");
  assert.deepEqual(await unlock(file, "wachtwoordzin é", quiet), [await journalistOf(identity)]);
  await assert.rejects(unlock(file, "wachtwoordzin e", quiet), refuses("passphrase"));
});

test("a rotated identity acts with the one that is listed, and opens with all", async () => {
  const [newer, older] = [identity, await generateHybridIdentity()];
  const file = await locked(`# name: ada\n${newer}\n${older}\n`);
  for (const [at, others] of [[0, [older]], [1, [newer]]]) {
    const all = await unlock(file, "correct horse", quiet);
    const signers = all.map(({ signer }) => signer);
    const one = acting(all, all[at]);
    assert.deepEqual(one.identities, [[newer, older][at], ...others]);
    assert.deepEqual(one.signers, [signers[at], signers[1 - at]]);
    assert.deepEqual(one.signer, (await journalistOf([newer, older][at])).signer);
    assert.deepEqual(all[1 - at].seed, new Uint8Array(32));
    assert.notDeepEqual(one.seed, new Uint8Array(32));
  }
});

test("what is no identity file is said to be none", async () => {
  const other = new Encrypter();
  other.addRecipient((await journalistOf(identity)).recipient);
  const files = {
    "no age file": new TextEncoder().encode("hello"),
    "nothing": new Uint8Array(),
    "sealed to a journalist": await other.encrypt(identity),
    "no identity": await locked("hello"),
    "nothing locked": await locked(""),
    "another kind": await locked(await generateX25519Identity()),
    "one twice": await locked(`${identity}\n${identity}\n`),
    "one of another kind": await locked(`${identity}\n${await generateX25519Identity()}\n`),
    "nine": await locked((await Promise.all(Array.from({ length: 9 }, generateHybridIdentity))).join("\n")),
    "a letter changed": await locked(identity.replace(/.$/, (last) => (last === "Q" ? "P" : "Q"))),
  };
  for (const [what, file] of Object.entries(files)) {
    await assert.rejects(unlock(file, "correct horse", quiet), refuses("file"), what);
  }
});

test("a file that asks for more work than a page can do is refused before it is begun", async () => {
  const text = Buffer.from(await locked(identity)).toString("latin1");
  for (const work of ["21", "99", "04", "0", "-1", "4 4"]) {
    const changed = text.replace(/^(-> scrypt \S+) 4$/m, `$1 ${work}`);
    assert.notEqual(changed, text);
    const file = Uint8Array.from(Buffer.from(changed, "latin1"));
    await assert.rejects(unlock(file, "correct horse", quiet), refuses("file"), work);
  }
});
