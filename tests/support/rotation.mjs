// Identity files as desk.html reads and makes them, asked line by line on standard input, each line answered
// with one: {"file": base64, "passphrase", "name", "work"} with the same rotated once more, locked with that
// passphrase, and its .pub; with "as_it_is" no new identity is made, and the file is not locked again.

import { createInterface } from "node:readline";
import { lock, unlock } from "../../site/scripts/desk-identity.js";
import { fileText, publicFile, rotated } from "../../site/scripts/desk-rotation.js";

const quiet = () => {};

async function answer({ file, passphrase, name, work, as_it_is: asItIs }) {
  const all = await unlock(Uint8Array.from(Buffer.from(file, "base64")), passphrase, quiet);
  const before = all.flatMap((one) => one.identities);
  if (asItIs) return publicFile(name, before);
  const identities = await rotated(before);
  const locked = await lock(fileText(name, identities), passphrase, quiet, work);
  return { file: Buffer.from(locked).toString("base64"), ...(await publicFile(name, identities)) };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
