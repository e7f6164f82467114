// The page's names for the files of drops: lists of names in, JSON on standard input, and out again.

import { json } from "node:stream/consumers";
import { namesFor } from "../../site/scripts/names.js";

console.log(JSON.stringify((await json(process.stdin)).map(namesFor)));
