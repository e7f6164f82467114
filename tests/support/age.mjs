// age in JavaScript, and C2SP's test vectors of it, driven by a JSON job on standard input; bytes are base64.
//
// {"vectors": true}                       prints {name: vector}
// {"files": [{"recipient", "plain"}]}     prints each sealed
// {"files": [{"identity", "sealed"}]}     prints each opened

import { json } from "node:stream/consumers";
import { library } from "./vectors.mjs";

const { Decrypter, Encrypter } = library("age-encryption");
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

async function seal({ recipient, plain }) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return base64(await encrypter.encrypt(bytes(plain)));
}

async function open({ identity, sealed }) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return base64(await decrypter.decrypt(bytes(sealed)));
}

function vectors() {
  const named = Object.entries(library("cctv-age"));
  return Object.fromEntries(named.map(([name, vector]) => [name, base64(vector)]));
}

const job = await json(process.stdin);
const one = (file) => ("plain" in file ? seal(file) : open(file));
console.log(JSON.stringify(job.vectors ? vectors() : await Promise.all(job.files.map(one))));
