import { GaveUp, request } from "./http.js";
import { LINE } from "./line.js";

/** @typedef {import("./http.js").Timing} Timing */

/**
 * The whole board. Both pages download all of it as they load, so that doing so says nothing. Refuses another
 * length than the edition's.
 * @param {{board_lines: number}} terms
 * @param {{base?: string, signal?: AbortSignal, tries?: number, timing?: Timing}} [options]
 */
export async function fetchBoard(terms, options = {}) {
  const { base = "", signal = new AbortController().signal, tries = 4, timing } = options;
  const size = terms.board_lines * LINE;
  const board = await request(`${base}/board`, { method: "GET" }, size, 200, { signal, tries, timing });
  if (board.length !== size) throw new GaveUp("the board has another length than the edition says");
  return board;
}
