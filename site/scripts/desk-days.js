// Days as the protocol writes them, YYYY-MM-DD in UTC: as text, they sort.

/** Today. */
export function today() {
  return new Date().toISOString().slice(0, 10);
}

/**
 * The day so many days later.
 * @param {string} day
 * @param {number} count
 */
export function dayAfter(day, count) {
  return new Date(Date.parse(day) + count * 86_400_000).toISOString().slice(0, 10);
}
