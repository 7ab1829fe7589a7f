// What a provider answered, as it was: kept from the fetch, before a library reads it. The libraries refuse an answer whose
// counts they do not understand, and drop what they do not know; an answer is paid for either way.
//   H1  Libraries see no counts: none of theirs is used, and none can make them refuse an answer.
//   H2  An error in a body of 200 is thrown here, with the provider's own words.
//   H3  An error's words are short: the libraries parse a body, and write it out again, several times.
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { eventLoop } from '../event-loop.ts';
import type { Dialect } from './provider-access.ts';

export interface BodyError {
  readonly error: JsonObject | string;
  readonly headers: Headers;
}

/** Beyond it an error is no JSON that a provider means; its beginning is text enough. */
const MAX_ERROR_CHARS = 262_144;
const KEPT_ERROR_CHARS = 16_384;

/** What the library of a dialect needs to see in place of the counts. */
const NO_COUNTS: { readonly [dialect in Dialect]: JsonObject } = {
  anthropic: { usage: { input_tokens: 0, output_tokens: 0 } },
  openai: {},
  google: {},
  compatible: {},
  simulated: {},
};

export class HeardAnswer {
  readonly #fetch: typeof globalThis.fetch;
  readonly #dialect: Dialect;
  readonly #tenantId: string;
  readonly #throwError: (found: BodyError) => never;
  #body: JsonObject = {};

  constructor(
    fetch: typeof globalThis.fetch,
    options: {
      readonly dialect: Dialect;
      readonly tenantId: string;
      readonly throwError: (found: BodyError) => never;
    },
  ) {
    this.#fetch = fetch;
    this.#dialect = options.dialect;
    this.#tenantId = options.tenantId;
    this.#throwError = options.throwError;
  }

  /** The body of the last answer that was none of an HTTP error; empty where it is no JSON object. */
  get body(): JsonObject {
    return this.#body;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await this.#fetch(input, init);
    if (!response.ok) return await shortError(response);
    const text = await response.text();
    const { status, headers } = response;
    const body = await eventLoop.run(this.#tenantId, () => readObject(text));
    if (body === null) return new Response(text, { status, headers: withoutLength(headers) });
    this.#body = body;
    const error = errorIn(body);
    if (error !== null) this.#throwError({ error, headers });
    const { usage: _, usageMetadata: __, ...rest } = body;
    const shown = { ...rest, ...NO_COUNTS[this.#dialect] };
    return new Response(JSON.stringify(shown), { status, headers: withoutLength(headers) });
  };
}

// H3.
async function shortError(response: Response): Promise<Response> {
  const text = await response.text();
  const { status, statusText, headers } = response;
  const isLong = text.length > MAX_ERROR_CHARS;
  return new Response(isLong ? text.slice(0, KEPT_ERROR_CHARS).toWellFormed() : text, {
    ...{ status, statusText, headers: withoutLength(headers) },
  });
}

// The guard has counted what the text holds.
function readObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-length', 'content-encoding']) kept.delete(name);
  return kept;
}

/** Of OpenAI, Anthropic, Google and servers like them; of a router, for the one choice. */
function errorIn(body: JsonObject): JsonObject | string | null {
  const [choice] = Array.isArray(body.choices) ? body.choices : [];
  for (const found of [body.error, isJsonObject(choice) ? choice.error : null])
    if (isJsonObject(found) || (typeof found === 'string' && found !== '')) return found;
  return body.type === 'error' ? body : null;
}
