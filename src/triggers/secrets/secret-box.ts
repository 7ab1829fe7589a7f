// Seals the secrets that are kept in the database: AES-256-GCM under keys that are not there (DAGWRIGHT_ENCRYPTION_KEY).
//   B1  A nonce is never used twice under a key: 96 random bits for every writing.
//   B2  What was sealed for one place (its context: tenant, webhook) opens nowhere else.
//   B3  The text names its key: the first key writes, all read, so that keys can be changed while the service runs.
//   B4  Nothing is returned before the whole has been authenticated; a tag has all its 16 bytes.
// Without a key secrets are stored as they are, marked `plain:`. One that was stored so stays readable when a key comes.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const VERSION = 'v1';
const PLAIN = 'plain:';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export interface SecretBox {
  /** Of the keys, the one that seals first. None: what is sealed is stored as it is. */
  readonly keyIds: readonly string[];
  /** `v1.<key id>.<base64url>`; `context` names the place where it is kept, such as tenant and webhook. */
  seal(text: string, context: readonly string[]): string;
  /** Throws {@link SecretBoxError} where no key fits, the text was changed, or it was sealed for another place. */
  open(sealed: string, context: readonly string[]): string;
}

/** A secret cannot be opened. The message holds neither the secret nor a key. */
export class SecretBoxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SecretBoxError';
  }
}

/** Keys of 32 bytes each; the first seals, all open. */
export function createSecretBox(given: Buffer | readonly Buffer[] | null): SecretBox {
  const list = given === null ? [] : Buffer.isBuffer(given) ? [given] : given;
  if (list.some(({ length }) => length !== KEY_BYTES)) throw new Error(`a key has ${KEY_BYTES} bytes`);
  const keys = new Map(list.map((key) => [keyId(key), key]));
  const [first] = keys;
  return {
    keyIds: [...keys.keys()],
    seal(text, context) {
      if (first === undefined) return `${PLAIN}${text}`;
      const [id, key] = first;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(placeOf(id, context));
      const bytes = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return `${VERSION}.${id}.${Buffer.concat(bytes).toString('base64url')}`;
    },
    open(sealed, context) {
      if (sealed.startsWith(PLAIN)) return sealed.slice(PLAIN.length);
      const [version, id, text, ...others] = sealed.split('.');
      if (version !== VERSION || id === undefined || text === undefined || others.length > 0)
        throw new SecretBoxError('a stored secret has an unknown form');
      const key = keys.get(id);
      if (key === undefined)
        throw new SecretBoxError(
          `a stored secret was sealed under the key ${id}, which DAGWRIGHT_ENCRYPTION_KEY does not have`,
        );
      return openWith(key, Buffer.from(text, 'base64url'), placeOf(id, context));
    },
  };
}

function openWith(key: Buffer, bytes: Buffer, place: Buffer): string {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SecretBoxError('a stored secret is too short');
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(place);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    throw new SecretBoxError('a stored secret was changed, or sealed for another place');
  }
}

// As JSON, so that no two places have the same bytes.
function placeOf(id: string, context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([VERSION, id, ...context]));
}

/** The name of a key: tells keys apart and says nothing of them. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('dagwright key id\n').update(key).digest('hex').slice(0, 12);
}
