// DAGWRIGHT_ENCRYPTION_KEY: 32 random bytes as base64 or hex. Several with commas: the first seals, all open.
import type { Problem, Result } from '../../core/errors.ts';
import { KEY_BYTES } from './secret-box.ts';

const HINT = 'make one: openssl rand -base64 32';
/** 32 random bytes have 30 different ones; fewer than this is no chance (1 in 10^16). */
const MIN_DIFFERENT = 16;

/** Reads the keys; short ones and examples are refused. Messages hold nothing of a key. `pointer` names the setting. */
export function readEncryptionKeys(text: string, pointer: string): Result<readonly Buffer[]> {
  const problems: Problem[] = [];
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const key = decodeKey(part);
      const wrong = key === null ? `must be ${KEY_BYTES} bytes as base64 or hex` : weakness(key);
      if (wrong !== null)
        problems.push({ pointer, code: 'setting', message: `${pointer} ${wrong}`, hint: HINT });
      return key === null ? [] : [key];
    });
  if (keys.length === 0 && problems.length === 0)
    problems.push({ pointer, code: 'setting', message: `${pointer} is empty`, hint: HINT });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: keys };
}

function decodeKey(text: string): Buffer | null {
  if (/^[0-9a-fA-F]+$/.test(text) && text.length === 2 * KEY_BYTES) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  return Buffer.from(text, 'base64');
}

function weakness(key: Buffer): string | null {
  if (new Set(key).size < MIN_DIFFERENT) return 'repeats itself, as examples do: it must be random';
  if (key.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is text in disguise: it must be random';
  const step = (key[1]! - key[0]! + 256) % 256;
  if (key.every((byte, i) => i === 0 || (byte - key[i - 1]! + 256) % 256 === step))
    return 'counts up or down, as examples do: it must be random';
  return null;
}
