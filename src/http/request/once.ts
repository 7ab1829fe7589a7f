// Creating exactly once: the answer to a request with an Idempotency-Key is kept in the transaction of what it made.
//   O1  Same key and body: the first answer again. Another body: 409. Per tenant and path.
//   O2  A second request waits for the first. Where that is rolled back nothing is kept, and the second does the work.
//   O3  An answer that shows a secret is kept sealed under what only the caller has: its key and its Idempotency-Key. Where
//       the service is open nobody has a key: it is sealed under one that this process forgets.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import { canonicalJson } from '../../core/json.ts';
import { isRetryable, isStatementTimeout } from '../../db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../db/resources/default-tenant.ts';
import {
  claimRequest,
  type KeptAnswer,
  keepAnswer,
  type RequestKey,
} from '../../db/resources/idempotent-requests.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError } from '../server/problem.ts';

export interface Answer {
  readonly status: 200 | 201 | 202;
  readonly body: object;
}

export type Work = (client: pg.PoolClient) => Promise<Answer>;

export interface OnceOptions {
  /** The body holds something that is shown once. */
  readonly secret?: true;
  /** In a transaction of the engine's role, for work that starts executions; it names the tenant in every statement. */
  readonly asEngine?: true;
}

const TRIES = 4;
const FORGOTTEN = randomBytes(32).toString('base64');
/** 1 to 255 visible characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Runs `work` in one transaction of the caller's tenant, once per Idempotency-Key, and sends its answer. */
export async function answerOnce(
  service: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  work: Work,
  options: OnceOptions = {},
): Promise<FastifyReply> {
  const { acting } = request;
  const begin = <T>(inside: (client: pg.PoolClient) => Promise<T>) =>
    options.asEngine === true
      ? service.database.asEngine(acting, inside)
      : service.database.withTenant(acting, inside);
  return await answer(request, reply, { tenantId: acting.tenantId, begin, work, options });
}

/** The same for what belongs to the installation: a transaction of the engine's role. */
export async function answerOnceAsOperator(
  service: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  work: Work,
  options: OnceOptions = {},
): Promise<FastifyReply> {
  const { actor } = request;
  const begin = <T>(inside: (client: pg.PoolClient) => Promise<T>) =>
    service.database.asEngine(actor, inside);
  return await answer(request, reply, {
    tenantId: DEFAULT_TENANT_ID,
    prefix: 'operator ',
    begin,
    work,
    options,
  });
}

interface Plan {
  readonly tenantId: string;
  readonly prefix?: string;
  readonly begin: <T>(inside: (client: pg.PoolClient) => Promise<T>) => Promise<T>;
  readonly work: Work;
  readonly options: OnceOptions;
}

async function answer(request: FastifyRequest, reply: FastifyReply, plan: Plan): Promise<FastifyReply> {
  const name = readKey(request);
  if (name === null) {
    const { status, body } = await again(() => plan.begin(plan.work));
    return reply.code(status).send(body);
  }
  const path = request.url.split('?', 1)[0];
  const key: RequestKey = {
    tenantId: plan.tenantId,
    route: `${plan.prefix ?? ''}${request.method} ${path}`,
    keyHash: sha256(name),
  };
  const requestHash = sha256(canonicalJson([request.query ?? null, request.body ?? null]));
  const { kept, isFirst } = await again(() =>
    plan.begin(async (client) => {
      const before = await claimRequest(client, key);
      if (before !== null) return { kept: before, isFirst: false };
      const { status, body } = await plan.work(client);
      const text = Buffer.from(JSON.stringify(body));
      const isSealed = plan.options.secret === true;
      const first: KeptAnswer = {
        requestHash,
        status,
        answer: isSealed ? seal(text, sealingKey(request, key, name)) : text,
        isSealed,
      };
      await keepAnswer(client, key, first);
      return { kept: { ...first, answer: text, isSealed: false }, isFirst: true };
    }),
  );
  if (!kept.requestHash.equals(requestHash))
    throw new ApiError(409, 'key_reused', 'this Idempotency-Key was used for another request');
  const text = kept.isSealed ? unseal(kept.answer, sealingKey(request, key, name)) : kept.answer;
  if (text === null) throw new ApiError(409, 'key_reused', 'this Idempotency-Key was used by another caller');
  if (!isFirst) reply.header('idempotency-replayed', 'true');
  return reply.code(kept.status).type('application/json; charset=utf-8').send(text.toString());
}

/** The request's Idempotency-Key; null where it has none. Throws ApiError 400. */
export function readKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new ApiError(
    400,
    'invalid_idempotency_key',
    'Idempotency-Key must be 1 to 255 visible ASCII characters',
  );
}

/** Runs a transaction that may run again where it lost against another, as it did nothing. */
export async function again<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries >= TRIES || !isConflict(error)) throw error;
      await delay(10 * 2 ** tries * (0.5 + Math.random() / 2));
    }
  }
}

/** Deadlock, serialisation failure, lock timeout; not a statement that took too long. */
export function isConflict(error: unknown): boolean {
  return isRetryable(error) && !isStatementTimeout(error);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function sealingKey(request: FastifyRequest, { tenantId, route }: RequestKey, name: string): Buffer {
  const secret = `${request.headers.authorization ?? FORGOTTEN}\n${name}`;
  return Buffer.from(hkdfSync('sha256', secret, tenantId, `dagwright answer ${route}`, 32));
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function seal(text: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function unseal(sealed: Buffer, key: Buffer): Buffer | null {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}
