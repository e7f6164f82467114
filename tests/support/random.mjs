import { test } from "node:test";

/** A test that is handed seeded random numbers below a bound; the seed is in its name, `SEED` sets it. */
export function randomly(name, body) {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
  test(`${name} (SEED=${seed})`, (context) => body(below(seed), context));
}

// Mulberry32.
function below(seed) {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}
