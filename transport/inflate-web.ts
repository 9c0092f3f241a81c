/** `Inflate` on the web's own DecompressionStream: browsers, and Node too. */
import type { Inflate } from "./deflate.ts";

export const webInflate: Inflate = async (bytes, maxBytes) => {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  // A failure shows on the reading side as well; here it would only be an unhandled rejection.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(ignore);
  writer.close().catch(ignore);
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(ignore);
      throw new RangeError(`A message inflates to more than ${maxBytes} bytes.`);
    }
    parts.push(value);
  }
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

function ignore(): void {}
