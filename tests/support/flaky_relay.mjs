// A relay on loopback that keeps to relay/PROTOCOL.md when it is not told to fail.

import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

const PART = 1024 * 1024;

/**
 * @typedef {"cut" | "deaf" | "cut-late" | "truncate" | "stall" | number | undefined} Fault
 * `cut` drops the connection before it reads, `deaf` after it has read and stored nothing, `cut-late` once it
 * has stored all; `truncate` stores and answers half; `stall` never answers; a number is a status with
 * nothing stored.
 */

export class FlakyRelay {
  requests = [];
  parts = new Map();
  drop = null;
  open = 0;
  mostOpen = 0;
  #server = createServer((request, response) => this.#answer(request, response).catch(() => {}));

  /** @param {(what: string, count: number) => Fault} fault by "PUT 0", "POST" or "GET", and its how manyth */
  constructor(fault = () => undefined) {
    this.fault = fault;
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
    return `http://127.0.0.1:${this.port}`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  /** How often each thing was asked for. */
  count(what) {
    return this.requests.filter((request) => request.what === what).length;
  }

  async #answer(request, response) {
    const [, part, commit] = /^\/drops\/[0-9a-f]{32}(?:\/(0|[1-9]\d*)(\?commit)?)?$/.exec(request.url) ?? [];
    const what = request.method + (part === undefined ? "" : ` ${part}`);
    const seen = { what, url: request.url, headers: request.headers, body: null };
    this.requests.push(seen);
    const fault = this.fault(what, this.count(what));
    if (fault === "cut") return request.socket.destroy();
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    response.on("close", () => this.open--);
    seen.body = await buffer(request);
    if (fault === "stall") return;
    if (fault === "deaf") return request.socket.destroy();
    if (typeof fault === "number") return response.writeHead(fault, { location: "/elsewhere" }).end("{}");
    const [status, body] = this.#keep(seen, part, commit);
    if (fault === "cut-late") return request.socket.destroy();
    if (fault === "truncate") {
      response.writeHead(status, { "content-length": body.length + 10 });
      return response.write(body, () => request.socket.destroy());
    }
    response.writeHead(status).end(body);
  }

  #keep({ what, body }, part, commit) {
    if (what === "GET") return [200, this.board];
    if (part !== undefined) {
      if (body.length === 0 || body.length > PART) return [413, ""];
      if (!this.drop) this.parts.set(Number(part), body);
      if (!commit) return [204, ""];
    }
    const { parts, size } = commit ? { parts: 1, size: body.length } : JSON.parse(body);
    const whole = Buffer.concat([...this.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
    if (this.parts.size !== parts || whole.length !== size) return [409, "{}"];
    this.drop = whole;
    return [201, "{}"];
  }
}
