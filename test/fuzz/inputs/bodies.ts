// Requests at every route that OpenAPI lists: bodies that fit, and what becomes of them; types and encodings that are odd;
// chunks, lengths that lie, queries and ids of all sorts.

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { randomOf } from '../../core/support/random.ts';
import { type Operation, sampleOf } from '../../http/support/openapi-requests.ts';
import type { Input, Step, Surroundings } from './input.ts';
import { type Arb, json, mutated, text } from './texts.ts';

const BODY_BYTES = 1_100_000;
const TYPES = [
  ...['application/json', 'application/json', 'application/json', 'application/json; charset=utf-8'],
  ...[
    'application/json; charset=utf-16',
    'application/yaml',
    'text/plain',
    'application/x-www-form-urlencoded',
  ],
  ...['multipart/form-data; boundary=x', 'application/vnd.x+json', ';;;', 'application/xml', ''],
];
const ENCODINGS = ['gzip', 'br', 'deflate', 'identity', 'x-nothing', 'gzip, gzip'];
/** A path that ends what others need, or never ends itself. */
const isLeftOut = ({ method, path }: Operation) => method === 'GET' && path.endsWith('/events');

function packed(body: string, encoding: string | undefined): string | Buffer {
  if (encoding === 'gzip') return gzipSync(body);
  if (encoding === 'br') return brotliCompressSync(body.slice(0, 100_000));
  return encoding === 'deflate' ? deflateSync(body) : body;
}

/** A sound body in which a value became another. */
const changed = (sound: string): Arb<string> =>
  fc.tuple(fc.nat({ max: 30 }), json(BODY_BYTES)).map(([at, put]) => {
    let seen = 0;
    // The values of a compact text begin behind colons.
    return sound.replace(/:("(?:[^"\\]|\\.)*"|[\d.eE+-]+|true|false|null|\{\}|\[\])/g, (found) =>
      seen++ === at % 8 ? `:${put}` : found,
    );
  });

function bodyFor(operation: Operation, seed: number, value: string): Arb<string | undefined> {
  const sound =
    operation.body === null ? undefined : JSON.stringify(sampleOf(operation.body, randomOf(seed), value));
  const wild: Arb<string | undefined>[] = [json(BODY_BYTES), mutated(json(2_000)), text(BODY_BYTES)];
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(sound) },
    { weight: 4, arbitrary: sound === undefined ? json(1_000) : changed(sound) },
    { weight: 1, arbitrary: sound === undefined ? fc.constant(undefined) : mutated(fc.constant(sound)) },
    ...wild.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
}

const escaped = (one: string) => encodeURIComponent(one.toWellFormed().slice(0, 3_000));

export function bodyInputs({ operations, ids }: Surroundings): Arb<Input> {
  const known = operations.filter((one) => !isLeftOut(one));
  return fc
    .tuple(fc.constantFrom(...known), fc.nat({ max: 2 ** 31 - 1 }), text(3_000))
    .chain(([operation, seed, value]) =>
      fc.tuple(
        fc.constant(operation),
        bodyFor(operation, seed, value),
        fc.record({
          type: fc.constantFrom(...TYPES),
          encoding: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(...ENCODINGS)),
          ids: fc.array(fc.oneof(fc.constantFrom(...ids), text(300).map(escaped), fc.uuid()), {
            minLength: 3,
            maxLength: 3,
          }),
          query: fc.array(fc.oneof(fc.constantFrom('0', '1', '-1', '200', '1e9', 'true', ''), text(500)), {
            minLength: 12,
            maxLength: 12,
          }),
          isAsked: fc.boolean(),
          isChunked: fc.nat({ max: 9 }).map((n) => n === 0),
          isCutOff: fc.nat({ max: 19 }).map((n) => n === 0),
          key: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, text(300).map(escaped)),
          isAnonymous: fc.nat({ max: 9 }).map((n) => n === 0),
        }),
      ),
    )
    .map(([operation, body, more]) => ({ kind: 'body' as const, steps: [stepOf(operation, body, more)] }));
}

interface More {
  readonly type: string;
  readonly encoding: string | undefined;
  readonly ids: readonly string[];
  readonly query: readonly string[];
  readonly isAsked: boolean;
  readonly isChunked: boolean;
  readonly isCutOff: boolean;
  readonly key: string | undefined;
  readonly isAnonymous: boolean;
}

function stepOf(operation: Operation, body: string | undefined, more: More): Step {
  const { type, encoding, key, isChunked, isCutOff, isAnonymous } = more;
  let at = 0;
  const path = operation.path.replaceAll(/\{[^}]+\}/g, () => more.ids[at++ % 3]!);
  const names = operation.query.filter(({ name }) => name !== 'wait').slice(0, 12);
  const query = more.isAsked
    ? names.map(({ name }, i) => `${name}=${escaped(more.query[i]!)}`).join('&')
    : '';
  return {
    method: operation.method,
    path: query === '' ? path : `${path}?${query}`,
    headers: {
      ...(body !== undefined && type !== '' && { 'content-type': type }),
      ...(encoding !== undefined && { 'content-encoding': encoding }),
      ...(key !== undefined && operation.method === 'POST' && { 'idempotency-key': key }),
    },
    ...(body !== undefined && { body: packed(body, encoding) }),
    ...{ isChunked, isCutOff: isCutOff && body !== undefined, isAnonymous },
  };
}
