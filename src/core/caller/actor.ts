// Names of those who act: what a key's subject and the header X-Actor may be (CONTRACT 6).
import { isStorableText } from '../json.ts';

/** The operator's key, where it says for nobody. */
export const OPERATOR = 'key:admin';
/** Whoever has the token of a callback. */
export const CALLBACK = 'callback';

const MAX_LENGTH = 200;
/** Names that only the service itself gives: a key's own, an SQL login's, and those of its parts. */
const RESERVED = /^((key|sql):|(system|cli|local|callback)$)/i;

/** Why a text cannot be the name of an actor; null where it can. */
export function problemOfActor(text: string): string | null {
  if (text.length < 1 || text.length > MAX_LENGTH) return `must be 1 to ${MAX_LENGTH} characters`;
  if (text.trim() !== text || !/^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) || !isStorableText(text))
    return 'must be printable, without spaces at its ends';
  if (RESERVED.test(text)) return 'must not be a name that the service gives itself, such as key:… or system';
  return null;
}

/**
 * Whether what an actor starts is started by hand: by a person who is named (the subject behind a key, or whom `X-Actor` tells), the
 * operator, or the command line. A key that acts for itself is a program's, and whoever calls an open service has no name.
 */
export function actsByHand(actor: string): boolean {
  return actor === OPERATOR || actor === 'cli' || !RESERVED.test(actor);
}
