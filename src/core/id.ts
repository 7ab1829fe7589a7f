// Ids: UUIDv7 (RFC 9562): time-ordered, so that indexes stay local and cursors follow time.
import { createHash, randomBytes } from 'node:crypto';

/** A new UUIDv7 in the usual text form. */
export function newId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  return textOf(bytes);
}

/** The smallest id of a moment, in milliseconds since the epoch: ids made before it sort before this. */
export function firstIdAt(ms: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(0, Math.trunc(ms)), 0, 6);
  return textOf(bytes);
}

/** When an id was made, in milliseconds since the epoch. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

const MAX_COUNT = 0xfff;

/** A maker of ids that sort in the order of its calls, also within a millisecond and when the clock goes back (RFC 9562, 6.2). */
export function createIdSequence(): (nowMs: number) => string {
  let lastMs = 0;
  let count = 0;
  return (nowMs) => {
    const ms = Math.trunc(nowMs);
    if (ms > lastMs) {
      lastMs = ms;
      count = 0;
    } else if (++count > MAX_COUNT) {
      lastMs++;
      count = 0;
    }
    const bytes = randomBytes(16);
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(count, 6);
    return textOf(bytes);
  };
}

/** A UUID (version 8, RFC 9562) that is the same for the same text. */
export function uuidFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function textOf(bytes: Buffer): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}
