import { sha256 } from "@noble/hashes/sha2.js";
import { breathe } from "./breathe.js";

const PIECE = 64 * 1024;

/**
 * SHA-256. The browser's own is a hundred times as fast; it has it only for pages whose address it trusts.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export async function sha256Of(bytes) {
  if (crypto.subtle) return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = sha256.create();
  for (let at = 0; at < bytes.length; at += PIECE) {
    await breathe();
    hash.update(bytes.subarray(at, at + PIECE));
  }
  return hash.digest();
}
