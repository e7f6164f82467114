// What a file is by its first bytes, where the page shows such a one: text, and pictures of two formats. What
// is neither, markup above all, is only ever saved.

/** The most of a file that is shown as text, and as a picture, in bytes. */
export const TEXT_MOST = 512 * 1024;
export const PICTURE_MOST = 32 * 1024 * 1024;

// A header that promises more would have the browser take gigabytes before it sees that they are not there.
const PIXELS_MOST = 50_000_000;
const SIDE_MOST = 30_000;

const TEXTS = /\.(txt|md|csv|tsv|log)$/i;
const PICTURES = /\.(png|jpe?g)$/i;

/**
 * What the page may try to show a file as, by its name and size alone.
 * @param {string} name
 * @param {number} size
 * @returns {"text" | "picture" | ""}
 */
export function kindOf(name, size) {
  if (TEXTS.test(name) && size <= TEXT_MOST) return "text";
  return PICTURES.test(name) && size <= PICTURE_MOST ? "picture" : "";
}

/**
 * The text that these bytes are; null where they are none.
 * @param {Uint8Array} bytes
 */
export function textFrom(bytes) {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The type of a picture that may be decoded; null for other bytes, and for one with too many pixels.
 * @param {Uint8Array} bytes
 */
export function pictureType(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = png(view) ?? jpeg(view);
  if (!found) return null;
  const { type, width, height } = found;
  const right = width > 0 && height > 0 && Math.max(width, height) <= SIDE_MOST;
  return right && width * height <= PIXELS_MOST ? type : null;
}

/** @param {DataView} view */
function png(view) {
  const right = view.byteLength >= 24 && view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a;
  if (!right || view.getUint32(12) !== 0x49484452) return null; // IHDR comes first.
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

/**
 * From the start of the frame, a segment whose marker is C0 to CF but for C4, C8 and CC.
 * @param {DataView} view
 */
function jpeg(view) {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { type: "image/jpeg", width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
