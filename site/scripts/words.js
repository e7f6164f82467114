import { sentence } from "./page.js";

/**
 * What is wrong with typed words, in the page's language.
 * @param {import("./codename.js").BadCodename} mistake
 */
export function complaintAbout({ reason, word, count }) {
  if (reason === "word") return sentence("word_unknown", { word });
  if (reason === "count") return sentence("words_count", { count });
  return sentence("words_wrong");
}
