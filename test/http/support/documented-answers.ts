// Holds answers of the service against its own OpenAPI document: each has a documented status, media type, headers and body,
// and a body holds no field that the document does not know.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { addFormats } from '../../../src/core/definition/schema/formats.ts';
import type { CallAnswer } from '../../support/service.ts';

interface Told {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

/** Headers that clients act on. Those of every page of the web (caching, policies) are not described. */
const TOLD_HEADERS =
  /^(etag|location|allow|retry-after|idempotency-replayed|ratelimit-.*|www-authenticate|x-request-id)$/;

export class DocumentedAnswers {
  /** `GET /v1/webhooks/{id} 200`: how many were looked at. */
  readonly seen = new Map<string, number>();
  readonly problems: string[] = [];
  readonly #document: { readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>> };
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true });
  readonly #patterns: readonly { readonly path: string; readonly pattern: RegExp }[];
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: object) {
    this.#document = closed(document) as never;
    addFormats(this.#ajv);
    this.#ajv.addSchema(this.#document as object, 'openapi');
    this.#patterns = Object.keys(this.#document.paths)
      // What is written out comes before what is a parameter: /preview before /{id}.
      .sort((a, b) => (a.replaceAll('{', '~') < b.replaceAll('{', '~') ? -1 : 1))
      .map((path) => ({
        path,
        pattern: new RegExp(`^${path.replace(/\{path\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`),
      }));
  }

  /** The operation that takes a request, as `GET /v1/webhooks/{id}`; undefined: the document knows none. */
  operationOf(method: string, url: string): string | undefined {
    const path = url.split('?', 1)[0]!;
    const found = this.#patterns.find(
      (one) => one.pattern.test(path) && this.#document.paths[one.path]![method.toLowerCase()] !== undefined,
    );
    return found && `${method} ${found.path}`;
  }

  look(method: string, url: string, answer: CallAnswer): void {
    const name = this.operationOf(method, url);
    if (name === undefined) return;
    const place = `${name} ${answer.status}`;
    this.seen.set(place, (this.seen.get(place) ?? 0) + 1);
    const problem = this.#problemOf(name, answer);
    if (problem !== null && this.problems.length < 20) this.problems.push(`${place}: ${problem}`);
  }

  #problemOf(name: string, { status, headers, body }: CallAnswer): string | null {
    const [method, path] = name.split(' ') as [string, string];
    const operation = this.#document.paths[path]![method.toLowerCase()] as {
      responses: Record<string, Told>;
    };
    const told = this.#resolve(operation.responses[String(status)]);
    if (told === undefined) return 'the status is not documented';
    const known = Object.keys(told.headers ?? {}).map((one) => one.toLowerCase());
    const strange = Object.keys(headers).find((one) => TOLD_HEADERS.test(one) && !known.includes(one));
    if (strange !== undefined) return `the header ${strange} is not documented`;
    const mediaType = headers['content-type']?.split(';', 1)[0];
    const media = Object.keys(told.content ?? {});
    if (mediaType === undefined) return media.length === 0 ? null : 'a body was to come';
    if (!media.includes(mediaType)) return `${mediaType} is not documented`;
    const validate = this.#validator(operation.responses[String(status)]!, {
      path,
      method,
      status,
      mediaType,
    });
    if (validate(body)) return null;
    const errors = (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    );
    return `${errors.slice(0, 3).join('; ')} in ${JSON.stringify(body).slice(0, 600)}`;
  }

  #resolve(told: Told | undefined): Told | undefined {
    if (told?.$ref === undefined) return told;
    return told.$ref
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], this.#document) as Told;
  }

  #validator(
    told: Told,
    at: { path: string; method: string; status: number; mediaType: string },
  ): ValidateFunction {
    const place =
      told.$ref ??
      ['#', 'paths', at.path, at.method.toLowerCase(), 'responses', String(at.status)].map(escaped).join('/');
    const pointer = `openapi${place}/content/${escaped(at.mediaType)}/schema`;
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: pointer });
    this.#validators.set(pointer, validate);
    return validate;
  }
}

const escaped = (part: string) =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')).replaceAll('%23', '#');

// Clients may get more fields with a later release; this release sends none that it does not describe.
function closed(value: unknown, name = ''): unknown {
  if (typeof value !== 'object' || value === null || /^Definition/.test(name)) return value;
  if (Array.isArray(value)) return value.map((entry) => closed(entry));
  const members = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one, key)]));
  const isOurs = members.type === 'object' && members.properties !== undefined;
  return isOurs && members.additionalProperties === undefined
    ? { ...members, additionalProperties: false }
    : members;
}
