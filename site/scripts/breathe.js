const LONGEST = 40;

let last = 0;

/**
 * Lets the page answer its reader if it has not for 40 ms: long work calls this often. A message and not a
 * timer, which a browser slows to one a second in a tab that is not in front.
 */
export async function breathe() {
  if (Date.now() - last < LONGEST) return;
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
  port1.close();
  last = Date.now();
}
