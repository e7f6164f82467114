// A source without a browser: the page's own modules, driven by a JSON job on standard input.
//
// {"edition": data block, "base_url": "http://…", "message": "…", "to": [names], "files": [paths],
//  "answers": {id: text}, "codename": "…", "read": [ids]}
//     seals and sends; prints {codename, thread, id, parts, bytes}. From `files` on all may be left out;
//     without `codename` there is a new one.
// {"edition": data block, "base_url": "http://…", "look": "codename"}
//     reads the board; prints {thread, replies: [{author, signer, id, state, text, have, of}]}

import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { json } from "node:stream/consumers";
import { fetchBoard } from "../../site/scripts/board.js";
import { entropyFrom, newEntropy, wordsFor } from "../../site/scripts/codename.js";
import { PART, measure, seal } from "../../site/scripts/drop.js";
import { sumsOf } from "../../site/scripts/file.js";
import { framesOn, repliesIn } from "../../site/scripts/line.js";
import { namesFor } from "../../site/scripts/names.js";
import { threadId, threadKey } from "../../site/scripts/thread.js";
import { upload } from "../../site/scripts/upload.js";

async function send({ edition, base_url: base, message, files = [], to, answers = {}, codename, read = [] }) {
  const entropy = codename ? entropyFrom(codename) : newEntropy();
  const thread = threadKey(entropy, edition.newsroom);
  const names = namesFor(files.map((path) => basename(path)));
  const attached = files.map(async (path, at) => {
    const file = await open(path);
    return { name: names[at], file, sums: sumsOf(file) };
  });
  const { newsroom, language, recipients } = edition;
  const letter = { newsroom, language, thread, to, answers, read, text: message };
  const draft = { ...letter, files: await Promise.all(attached) };
  const { size } = measure(draft, recipients.length);
  const signal = new AbortController().signal;
  const id = await upload({ base, parts: seal(draft, recipients), size, signal, report: () => {} });
  const codewords = wordsFor(entropy).join(" ");
  return { codename: codewords, thread: threadId(thread), id, parts: Math.ceil(size / PART), bytes: size };
}

async function open(path) {
  const { mtimeMs } = await stat(path);
  return new File([await openAsBlob(path)], basename(path), { lastModified: mtimeMs });
}

async function look({ edition, base_url: base, look: codename }) {
  const thread = threadKey(entropyFrom(codename), edition.newsroom);
  const board = await fetchBoard(edition.terms, { base });
  const signers = edition.recipients.map(({ signer }) => Uint8Array.from(Buffer.from(signer, "hex")));
  const replies = repliesIn(await framesOn(board, thread, edition.newsroom, signers));
  const author = ({ signer }) => edition.recipients.find((one) => one.signer === signer).name;
  return { thread: threadId(thread), replies: replies.map((reply) => ({ author: author(reply), ...reply })) };
}

const job = await json(process.stdin);
console.log(JSON.stringify(await ("look" in job ? look(job) : send(job))));
