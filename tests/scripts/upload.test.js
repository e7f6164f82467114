import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { fetchBoard } from "../../site/scripts/board.js";
import { PART } from "../../site/scripts/drop.js";
import { FileChanged } from "../../site/scripts/file.js";
import { GaveUp, Refused } from "../../site/scripts/http.js";
import { upload } from "../../site/scripts/upload.js";
import { FlakyRelay } from "../support/flaky_relay.mjs";

const timing = { patience: 60_000, perKiB: 0, longest: 60_000, pause: 1, longestPause: 4 };
const content = randomBytes(5 * PART + 1234);

async function* partsOf(bytes) {
  for (let at = 0; at < bytes.length; at += PART) yield bytes.subarray(at, at + PART);
}

function start(base, options = {}) {
  const size = options.size ?? content.length;
  const job = { base, parts: partsOf(content.subarray(0, size)), size, timing, report: () => {} };
  return upload({ ...job, signal: new AbortController().signal, ...options });
}

test("a drop of one part is stored and committed by one request", async () => {
  await using relay = new FlakyRelay();
  const id = await start(await relay.listen(), { size: PART });
  assert.deepEqual(relay.requests.map(({ url }) => url), [`/drops/${id}/0?commit`]);
  assert.deepEqual(relay.drop, content.subarray(0, PART));
});

test("parts are 1 MiB but the last, and the commit says how many and how large", async () => {
  await using relay = new FlakyRelay();
  const id = await start(await relay.listen());
  const sizes = [...relay.parts].sort(([a], [b]) => a - b).map(([, part]) => part.length);
  assert.deepEqual(sizes, [PART, PART, PART, PART, PART, 1234]);
  assert.deepEqual(relay.drop, content);
  const commit = relay.requests.at(-1);
  assert.equal(commit.url, `/drops/${id}`);
  assert.deepEqual(JSON.parse(commit.body), { parts: 6, size: content.length });
  assert.ok(relay.mostOpen <= 3);
});

test("a request tells nothing it need not", async () => {
  await using relay = new FlakyRelay();
  await start(await relay.listen());
  for (const { headers } of relay.requests) {
    assert.equal(headers.cookie, undefined);
    assert.equal(headers.referer, undefined);
  }
});

for (const fault of ["cut", "deaf", "cut-late", "truncate", 408, 500, 502, 503]) {
  test(`every request meets ${fault} twice: the same bytes go again and all arrives`, async () => {
    await using relay = new FlakyRelay((_, count) => (count <= 2 ? fault : undefined));
    await start(await relay.listen());
    assert.deepEqual(relay.drop, content);
    for (let n = 0; n < 6; n++) {
      const bodies = relay.requests.filter(({ what, body }) => what === `PUT ${n}` && body);
      const digests = bodies.map(({ body }) => createHash("sha256").update(body).digest("hex"));
      assert.equal(relay.count(`PUT ${n}`), 3);
      assert.equal(new Set(digests).size, 1);
    }
    assert.equal(relay.count("POST"), 3);
  });
}

for (const fault of ["cut", "cut-late", "truncate", 503]) {
  test(`a drop of one part meets ${fault} and arrives`, async () => {
    await using relay = new FlakyRelay((_, count) => (count <= 2 ? fault : undefined));
    await start(await relay.listen(), { size: 20_000 });
    assert.deepEqual(relay.drop, content.subarray(0, 20_000));
  });
}

for (const status of [400, 404, 409, 411, 413, 507, 200]) {
  test(`${status} for a part is final`, async () => {
    await using relay = new FlakyRelay((what) => (what === "PUT 1" ? status : undefined));
    const expected = (error) => error instanceof Refused && error.status === status;
    await assert.rejects(start(await relay.listen()), expected);
    assert.equal(relay.count("POST"), 0);
    assert.equal(relay.drop, null);
  });
}

test("a redirect is followed nowhere", async () => {
  await using relay = new FlakyRelay(() => 302);
  const cancel = new AbortController();
  const report = () => relay.requests.length > 3 && cancel.abort();
  const base = await relay.listen();
  await assert.rejects(start(base, { size: 1000, signal: cancel.signal, report }), { name: "AbortError" });
  assert.ok(relay.requests.every(({ url }) => url.endsWith("/0?commit")));
});

for (const status of [400, 404, 409, 413, 507]) {
  test(`${status} for the commit is final`, async () => {
    await using relay = new FlakyRelay((what) => (what === "POST" ? status : undefined));
    const expected = (error) => error instanceof Refused && error.status === status;
    await assert.rejects(start(await relay.listen()), expected);
    assert.equal(relay.count("POST"), 1);
  });
}

test("a request that is never answered is given up and repeated", async () => {
  const fault = (what, count) => (what === "PUT 2" && count === 1 ? "stall" : undefined);
  await using relay = new FlakyRelay(fault);
  await start(await relay.listen(), { timing: { ...timing, patience: 400 } });
  assert.deepEqual(relay.drop, content);
  assert.ok(relay.count("PUT 2") >= 2);
});

test("nobody listens for a while: it says that it waits, and goes on when somebody does", async () => {
  const relay = new FlakyRelay();
  const base = await relay.listen();
  await relay.close();
  await using later = new FlakyRelay();
  let waits = 0;
  const report = ({ waiting }) => {
    if (waiting && ++waits === 4) later.listen(relay.port);
  };
  await start(base, { report });
  assert.ok(waits >= 4);
  assert.deepEqual(later.drop, content);
});

test("progress is what was acknowledged, and says when it waits and when it commits", async () => {
  const fault = (what, count) => (what === "PUT 3" && count === 1 ? "cut" : undefined);
  await using relay = new FlakyRelay(fault);
  const seen = [];
  const report = (progress) => seen.push({ ...progress, stored: relay.parts.size });
  await start(await relay.listen(), { report });
  assert.deepEqual([seen[0].done, seen.at(-1).done], [0, content.length]);
  for (const [at, { done, stored, total }] of seen.entries()) {
    assert.equal(total, content.length);
    assert.ok(done <= stored * PART);
    assert.ok(at === 0 || done >= seen[at - 1].done);
  }
  assert.ok(seen.some(({ waiting }) => waiting));
  assert.equal(seen.at(-1).waiting, false);
  assert.deepEqual(seen.filter(({ committing }) => committing).map(({ done }) => done), [content.length]);
});

test("no more than three parts are made before one is acknowledged", async () => {
  await using relay = new FlakyRelay(() => "stall");
  const cancel = new AbortController();
  let made = 0;
  const parts = (async function* () {
    for await (const part of partsOf(content)) {
      made++;
      yield part;
    }
  })();
  const sending = start(await relay.listen(), { parts, signal: cancel.signal });
  while (relay.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  cancel.abort();
  await assert.rejects(sending, { name: "AbortError" });
  assert.equal(made, 3);
});

test("cancelled while it waits: it ends at once, and the parts are closed", async () => {
  await using relay = new FlakyRelay(() => "cut");
  const cancel = new AbortController();
  let closed = false;
  const parts = (async function* () {
    try {
      yield* partsOf(content);
    } finally {
      closed = true;
    }
  })();
  const patient = { ...timing, pause: 600_000, longestPause: 600_000 };
  const report = ({ waiting }) => waiting && setImmediate(() => cancel.abort());
  const options = { parts, signal: cancel.signal, report, timing: patient };
  await assert.rejects(start(await relay.listen(), options), { name: "AbortError" });
  assert.ok(closed);
});

test("cancelled as it begins to wait: it does not wait", async () => {
  await using relay = new FlakyRelay(() => "cut");
  const cancel = new AbortController();
  const patient = { ...timing, pause: 600_000, longestPause: 600_000 };
  const report = ({ waiting }) => waiting && cancel.abort();
  const tried = start(await relay.listen(), { signal: cancel.signal, report, timing: patient });
  await assert.rejects(tried, { name: "AbortError" });
});

test("cancelled before it starts: nothing is asked of the relay", async () => {
  await using relay = new FlakyRelay();
  const base = await relay.listen();
  await assert.rejects(start(base, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(relay.requests.length, 0);
});

test("a part that cannot be made ends the upload with its reason and without a commit", async () => {
  await using relay = new FlakyRelay();
  const parts = (async function* () {
    yield content.subarray(0, PART);
    yield content.subarray(PART, 2 * PART);
    throw new FileChanged("notes.txt");
  })();
  const expected = (error) => error instanceof FileChanged && error.file === "notes.txt";
  await assert.rejects(start(await relay.listen(), { parts }), expected);
  assert.equal(relay.count("POST"), 0);
});

const terms = { board_lines: 4 };

test("the board comes whole, through cuts", async () => {
  const faults = ["cut", "truncate", 503];
  await using relay = new FlakyRelay((_, count) => faults[count - 1]);
  relay.board = randomBytes(4 * 2048);
  const board = await fetchBoard(terms, { base: await relay.listen(), timing });
  assert.deepEqual(Buffer.from(board), relay.board);
});

test("a board that does not come is given up", async () => {
  await using relay = new FlakyRelay(() => "cut");
  await assert.rejects(fetchBoard(terms, { base: await relay.listen(), timing }), GaveUp);
  assert.equal(relay.count("GET"), 4);
});

for (const length of [0, 2048, 4 * 2048 - 1, 4 * 2048 + 1, 5 * 2048]) {
  test(`a board of ${length} bytes is refused where four lines were promised`, async () => {
    await using relay = new FlakyRelay();
    relay.board = randomBytes(length);
    await assert.rejects(fetchBoard(terms, { base: await relay.listen(), timing }), GaveUp);
  });
}
