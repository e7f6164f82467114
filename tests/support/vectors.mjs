import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";

const folder = new URL("../vectors/", import.meta.url);

/** The page's own copy of a library. */
export const library = createRequire(new URL("../../site/package.json", import.meta.url));

/** Every case of one kind: [file name, content]. */
export function cases(kind) {
  const files = readdirSync(new URL(`${kind}/`, folder)).filter((name) => name.endsWith(".json"));
  if (files.length === 0) throw new Error(`no vectors of ${kind}`);
  const read = (name) => JSON.parse(readFileSync(new URL(`${kind}/${name}`, folder), "utf8"));
  return files.map((name) => [`${kind}/${name}`, read(name)]);
}

export const unhex = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
