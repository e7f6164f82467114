import js from "@eslint/js";
import globals from "globals";

const sinks = ["innerHTML", "outerHTML", "insertAdjacentHTML", "cookie", "style"];
const memories = ["localStorage", "sessionStorage", "indexedDB", "caches", "history", "eval"];

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": "error",
      "max-len": ["error", { code: 110 }],
      "object-shorthand": "error",
    },
  },
  {
    files: ["site/scripts/**"],
    languageOptions: { globals: globals.browser },
    rules: {
      // Trusted Types and the promise that a page keeps nothing.
      "no-restricted-properties": ["error", ...sinks.map((property) => ({ property }))],
      "no-restricted-globals": ["error", ...memories],
      "no-console": "error",
    },
  },
  { files: ["tests/**"], languageOptions: { globals: globals.node } },
];
