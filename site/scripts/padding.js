const FLOOR = 16384;

/**
 * The padded size of a tar (keys/FORMAT.md section 2): Padmé, never under 16,384. Lengths may pass 32 bits,
 * so the arithmetic is on numbers and not on bits.
 * @param {number} length in bytes, at least 2
 */
export function padded(length) {
  const e = exponent(length);
  const step = 2 ** (e - exponent(e) - 1);
  return Math.max(FLOOR, Math.ceil(length / step) * step);
}

/**
 * floor(log2 value), exactly: Math.log2 may round up just below a power of two.
 * @param {number} value
 */
function exponent(value) {
  let e = 0;
  while (2 ** (e + 1) <= value) e++;
  return e;
}
