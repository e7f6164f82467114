import assert from "node:assert/strict";
import { test } from "node:test";
import { BadIdentity, lock, unlock } from "../../site/scripts/desk-identity.js";
import { fileText, publicFile, rotated } from "../../site/scripts/desk-rotation.js";
import { cases, hex, library, unhex } from "../support/vectors.mjs";

const { Decrypter, generateHybridIdentity, identityToRecipient } = library("age-encryption");
const { bech32 } = library("@scure/base");
const quiet = () => {};
const identityOf = (seed) => bech32.encodeFromBytes("AGE-SECRET-KEY-PQ-", unhex(seed)).toUpperCase();

for (const [name, vector] of cases("rotation")) {
  test(`${name}: a public half, signed by the identity before it`, async () => {
    const identities = [vector.new_identity, vector.old_identity].map(identityOf);
    const { text, number } = await publicFile(vector.name, identities);
    const [named, signer, former, recipient, end] = text.split("\n");
    assert.equal(named, `# name: ${vector.name}`);
    assert.equal(signer, `# signer: ${vector.signer}`);
    assert.equal(former, `# former: ${vector.former}`);
    assert.equal(hex(bech32.fromWords(bech32.decode(recipient, false).words)), vector.recipient);
    assert.equal(end, "");
    assert.equal(number, vector.number);
  });
}

test("a new identity stands before the others, and an eighth former one does not fit", async () => {
  let identities = [await generateHybridIdentity()];
  for (let former = 1; former <= 7; former++) {
    const before = identities;
    identities = await rotated(before);
    assert.deepEqual(identities.slice(1), before);
    assert.equal(new Set(identities).size, former + 1);
    assert.match(await identityToRecipient(identities[0]), /^age1pq1/);
  }
  await assert.rejects(rotated(identities), /full/);
});

test("a file that is locked here is one for the page, and for the library", async () => {
  const identities = await rotated([await generateHybridIdentity()]);
  const file = await lock(fileText("ada", identities), "wachtwoordzin é", quiet, 4);
  const all = await unlock(file, "wachtwoordzin é", quiet);
  assert.deepEqual(all.flatMap((one) => one.identities), identities);
  const wrong = (error) => error instanceof BadIdentity && error.reason === "passphrase";
  await assert.rejects(unlock(file, "wachtwoordzin e", quiet), wrong);
  const age = new Decrypter();
  age.addPassphrase("wachtwoordzin é");
  assert.equal(await age.decrypt(file, "text"), `# name: ada\n${identities.join("\n")}\n`);
});

test("locking takes age's own work factor unless told, a fresh salt, and says how far it is", async () => {
  const shares = [];
  const header = async (...more) => Buffer.from(await lock("text", "x", ...more)).toString("latin1");
  const whole = await header((share) => shares.push(share));
  assert.match(whole, /^age-encryption.org\/v1\n-> scrypt \S{22} 18\n/);
  assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
  const salts = [await header(quiet, 1), await header(quiet, 1)].map((text) => text.split(" ")[2]);
  assert.notEqual(salts[0], salts[1]);
});
