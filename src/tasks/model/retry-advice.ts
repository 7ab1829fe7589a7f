// When a provider says that one may come back, in whichever way it says so.
//   R1  What is said outright (Retry-After, milliseconds, Google's RetryInfo, a field of the body) holds: the longest of it.
//   R2  Otherwise the reset of the limit that is used up, of all limits of which it does not say what is left; at last its words.
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { MAX_RETRY_AFTER_SECONDS, parseRetryAfter } from '../../core/retry.ts';

export interface RetryAdvice {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it was sent, parsed; null: it is no JSON object. */
  readonly body: JsonObject | null;
  readonly message: string;
  readonly nowMs: number;
  /** It was refused for a limit: resets of limits say something of that alone. */
  readonly isLimited: boolean;
}

const MILLISECONDS = ['retry-after-ms', 'x-ms-retry-after-ms'];
const RESET = /^(?:x-)?(?:anthropic-)?ratelimit-(?:reset(-.+)?|(.+)-reset)$/;
const FIELDS = ['retry_after', 'retryAfter', 'retry_after_seconds', 'retryAfterSeconds'];
const MS_FIELDS = ['retry_after_ms', 'retryAfterMs'];
const WORDS =
  /\b(?:try|retry|available|come back)\b[^.\d]{0,40}\b(?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+\s*)+)/i;
/** No duration is longer, and a text of digits would cost their square. */
const MAX_DURATION_CHARS = 100;
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds, an hour at most; undefined where nothing is said. */
export function retryAfterOf(advice: RetryAdvice): number | undefined {
  const headers = { ...advice.headers, ...headersInBody(advice.body) };
  const said = [...fromHeaders(headers, advice.nowMs), ...fromBody(advice.body)];
  const found = said.length > 0 ? said : advice.isLimited ? fromResets(headers, advice.nowMs) : [];
  const words = durationOf(WORDS.exec(advice.message)?.[1] ?? '');
  const seconds = found.length > 0 ? Math.max(...found) : words;
  return seconds === undefined ? undefined : Math.min(Math.max(0, seconds), MAX_RETRY_AFTER_SECONDS);
}

function fromHeaders(headers: RetryAdvice['headers'], nowMs: number): number[] {
  const outright = parseRetryAfter(headers['retry-after'], new Date(nowMs).toISOString());
  const milliseconds = MILLISECONDS.map((name) => numberOf(headers[name])).flatMap((ms) =>
    ms === undefined ? [] : ms / 1000,
  );
  return outright === undefined ? milliseconds : [outright, ...milliseconds];
}

/** OpenRouter hands on the headers of the provider behind it. */
function headersInBody(body: JsonObject | null): Record<string, string> {
  const error = isJsonObject(body?.error) ? body.error : {};
  const headers =
    isJsonObject(error.metadata) && isJsonObject(error.metadata.headers) ? error.metadata.headers : {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function fromBody(body: JsonObject | null): number[] {
  const error = isJsonObject(body?.error) ? body.error : {};
  const places = [body, error, error.metadata, error.parameters].filter(isJsonObject);
  const fields = places.flatMap((place) => [
    ...FIELDS.flatMap((name) => secondsOf(place[name]) ?? []),
    ...MS_FIELDS.flatMap((name) => {
      const ms = numberOf(place[name]);
      return ms === undefined ? [] : ms / 1000;
    }),
  ]);
  const details: readonly Json[] = Array.isArray(error.details) ? error.details : [];
  const infos = details
    .filter(isJsonObject)
    .filter((one) => String(one['@type']).endsWith('google.rpc.RetryInfo'));
  return [...fields, ...infos.flatMap(({ retryDelay }) => secondsOf(retryDelay) ?? [])];
}

/** `34s`, `1.5`, or Google's `{ seconds, nanos }`. */
function secondsOf(value: Json | undefined): number | undefined {
  if (isJsonObject(value)) {
    const [seconds, nanos] = [numberOf(value.seconds), numberOf(value.nanos)];
    return seconds === undefined && nanos === undefined ? undefined : (seconds ?? 0) + (nanos ?? 0) / 1e9;
  }
  return numberOf(value) ?? (typeof value === 'string' ? durationOf(value) : undefined);
}

function fromResets(headers: RetryAdvice['headers'], nowMs: number): number[] {
  const resets = Object.entries(headers).flatMap(([name, value]) => {
    const limit = RESET.exec(name);
    const seconds = limit === null ? undefined : untilReset(value, nowMs);
    return seconds === undefined ? [] : [{ seconds, remaining: headers[name.replace('reset', 'remaining')] }];
  });
  const used = resets.filter(({ remaining }) => remaining !== undefined && Number(remaining) <= 0);
  const unsaid = resets.filter(({ remaining }) => !(Number(remaining) > 0));
  return (used.length > 0 ? used : unsaid).map(({ seconds }) => seconds);
}

/** A duration (`6m0s`, `20ms`), seconds, an instant, or seconds or milliseconds since the epoch. */
function untilReset(text: string, nowMs: number): number | undefined {
  const number = numberOf(text);
  if (number !== undefined) {
    if (number > 1e11) return Math.max(0, (number - nowMs) / 1000);
    return number > 1e9 ? Math.max(0, number - nowMs / 1000) : number;
  }
  const duration = durationOf(text);
  if (duration !== undefined) return duration;
  const at = /^\d{4}-\d\d-\d\dT/.test(text.trim()) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, (at - nowMs) / 1000);
}

/** `1m30.5s`, `20 seconds`. */
function durationOf(text: string): number | undefined {
  if (text.length > MAX_DURATION_CHARS) return undefined;
  const parts = [
    ...text
      .trim()
      .matchAll(
        /(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)(?![a-z])/gi,
      ),
  ];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, unit]) => {
    const name = unit!.toLowerCase();
    return sum + Number(amount) * UNITS[/^(ms|milli)/.test(name) ? 'ms' : name[0]!]!;
  }, 0);
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}
