// What a model gives to a tool comes as JSON within the answer's JSON at some providers (Anthropic, Google), whose libraries parse
// it whole: an id beyond 2^53 would be another one before we saw it. It is put in quotes before they do.
import { type JsonWarning, quoteLongNumbers } from '../../core/long-numbers.ts';

/** `content[].input` of Anthropic, `functionCall.args` of Google. */
const ARGUMENTS = /\/(?:input|functionCall\/args)\//;

/** The same fetch, with the long numbers in arguments of tools kept as texts. */
export function exactArguments(
  fetch: typeof globalThis.fetch,
  warn: (warning: JsonWarning) => void,
): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok || !/^application\/json\b/i.test(response.headers.get('content-type') ?? ''))
      return response;
    const text = await response.text();
    const quoted = /\d{16}/.test(text) ? quoteLongNumbers(text, (pointer) => ARGUMENTS.test(pointer)) : null;
    const warning = quoted?.longNumbers.warning('what the model gives a tool') ?? null;
    if (warning !== null) warn(warning);
    const { status, statusText, headers } = response;
    return new Response(quoted?.text ?? text, { status, statusText, headers });
  };
}
