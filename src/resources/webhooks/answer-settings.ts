// `methods`, `handshakes` and `respond` of a webhook as its owner gives them.
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import {
  HANDSHAKE_TYPES,
  type Handshake,
  MAX_RESPOND_HEADERS,
  MAX_VERIFY_TOKEN_CHARS,
  RESPOND_SECONDS,
  RESPOND_WHEN,
  type Respond,
  WEBHOOK_METHODS,
  type WebhookAuthType,
  type WebhookMethod,
  type WebhookVerifier,
} from '../../core/trigger/webhook.ts';
import { compileRespond, isAnswerHeader } from '../../triggers/webhooks/event/respond.ts';

/** What each type of handshake has besides its type. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  hub_challenge: ['verifyToken'],
  validation_token: [],
  zoom: [],
  asana: [],
  sns: ['topicArn', 'host'],
};

/** Null: POST alone. */
export function readMethods(given: Json | undefined): Result<readonly WebhookMethod[] | null> {
  if (given === undefined || given === null) return { ok: true, value: null };
  const known: readonly Json[] = WEBHOOK_METHODS;
  const isList = Array.isArray(given) && given.length > 0 && given.every((one) => known.includes(one));
  if (!isList) return refuse('/methods', `must be a list of ${WEBHOOK_METHODS.join(', ')}`);
  return { ok: true, value: WEBHOOK_METHODS.filter((method) => given.includes(method)) };
}

/** What a signature must hold where a delivery has no body. */
export function methodConflicts(
  methods: readonly WebhookMethod[] | null,
  verifier: WebhookVerifier | null,
  template: string | undefined,
): Problem[] {
  const signsQuery = verifier === null || verifier === 'twilio' || template?.includes('{url}') === true;
  if (signsQuery || methods?.includes('GET') !== true) return [];
  return [
    {
      ...problem('/methods', `a GET has no body: what ${verifier} signs says nothing of its query`),
      hint: 'leave GET out, or use hmac with a template that has {url}',
    },
  ];
}

export function readHandshakes(
  given: Json | undefined,
  verifier: WebhookVerifier | null,
): Result<readonly Handshake[] | null> {
  if (given === undefined || given === null) return { ok: true, value: null };
  if (!Array.isArray(given) || given.length === 0 || given.length > HANDSHAKE_TYPES.length)
    return refuse(
      '/handshakes',
      'must be a list of handshakes',
      '[{ "type": "hub_challenge", "verifyToken": "{{ secrets.META_VERIFY }}" }]',
    );
  const problems: Problem[] = [];
  const types = new Set<string>();
  for (const [i, one] of (given as readonly Json[]).entries()) {
    const pointer = `/handshakes/${i}`;
    if (!isJsonObject(one) || !HANDSHAKE_TYPES.some((type) => type === one.type)) {
      problems.push(problem(`${pointer}/type`, `must be one of ${HANDSHAKE_TYPES.join(', ')}`));
      continue;
    }
    problems.push(...handshakeProblems(one, pointer, verifier));
    if (types.has(String(one.type)))
      problems.push(problem(`${pointer}/type`, `${String(one.type)} is given twice`));
    types.add(String(one.type));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: given as unknown as readonly Handshake[] };
}

function handshakeProblems(one: JsonObject, pointer: string, verifier: WebhookVerifier | null): Problem[] {
  const type = String(one.type);
  const fields = FIELDS[type]!;
  const problems: Problem[] = [];
  for (const name of Object.keys(one))
    if (name !== 'type' && !fields.includes(name))
      problems.push(
        problem(
          `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
          `${type} has no such field`,
        ),
      );
  for (const name of fields) {
    const value = one[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value) || value.length > MAX_VERIFY_TOKEN_CHARS)
      problems.push(
        problem(`${pointer}/${name}`, `must be text of 1 to ${MAX_VERIFY_TOKEN_CHARS} visible characters`),
      );
    else if (name === 'verifyToken' && value.length < 8)
      problems.push(
        problem(`${pointer}/${name}`, 'a verify token has 8 characters at least: it can be guessed'),
      );
  }
  if (type === 'zoom' && verifier !== 'zoom')
    problems.push(
      problem(`${pointer}/type`, 'zoom answers with its secret token: it needs the verifier zoom'),
    );
  if (type === 'asana' && verifier !== 'hmac')
    problems.push({
      ...problem(`${pointer}/type`, 'asana brings the secret of the verifier hmac'),
      hint: '"verifier": "hmac", "options": { "signatureHeader": "x-hook-signature" }',
    });
  return problems;
}

/** The verify token that `hub_challenge` needs: one that is given, or that the webhook has. */
export function tokenProblems(
  handshakes: readonly Handshake[] | null,
  { hasOne }: { readonly hasOne: boolean },
): Problem[] {
  const at = hasOne ? -1 : (handshakes?.findIndex(isWithoutToken) ?? -1);
  return at === -1 ? [] : [problem(`/handshakes/${at}/verifyToken`, 'hub_challenge needs it')];
}

/** Whether it goes by the token that the webhook has. */
function isWithoutToken({ type, verifyToken }: Handshake): boolean {
  return type === 'hub_challenge' && verifyToken === undefined;
}

/** A confirmation makes this service ask an address of the sender's: nobody may have that unasked. */
export function proofProblems(
  handshakes: readonly Handshake[] | null,
  authType: WebhookAuthType,
  verifier: WebhookVerifier | null,
): Problem[] {
  const at = handshakes?.findIndex(({ type }) => type === 'sns') ?? -1;
  if (at === -1 || authType !== 'none' || verifier !== null) return [];
  return [
    {
      ...problem(
        `/handshakes/${at}`,
        'sns needs a proof of its sender: anybody could have this service ask an address',
      ),
      hint: '"authType": "basic": https://user:password@… is an address that SNS takes',
    },
  ];
}

export function readRespond(given: Json | undefined): Result<Respond | null> {
  if (given === undefined || given === null) return { ok: true, value: null };
  if (!isJsonObject(given))
    return refuse('/respond', 'must be an object', '{ "when": "completed", "withinSeconds": 25 }');
  const problems: Problem[] = [];
  const {
    when = 'completed',
    withinSeconds = RESPOND_SECONDS.default,
    status,
    headers,
    body,
    ...others
  } = given;
  for (const name of Object.keys(others))
    problems.push(
      problem(
        `/respond/${name.slice(0, 80)}`,
        'unknown field; known are when, withinSeconds, status, headers, body',
      ),
    );
  if (!RESPOND_WHEN.some((one) => one === when))
    problems.push(problem('/respond/when', `must be one of ${RESPOND_WHEN.join(', ')}`));
  if (
    typeof withinSeconds !== 'number' ||
    !Number.isInteger(withinSeconds) ||
    withinSeconds < 1 ||
    withinSeconds > RESPOND_SECONDS.max
  )
    problems.push(
      problem('/respond/withinSeconds', `must be a whole number from 1 to ${RESPOND_SECONDS.max}`),
    );
  if (when === 'received' && given.withinSeconds !== undefined)
    problems.push({
      ...problem('/respond/withinSeconds', 'nothing is waited for where `when` is received'),
      code: 'conflict',
    });
  if (status !== undefined && !isStatus(status))
    problems.push(
      problem('/respond/status', 'must be a status from 200 to 599, or a template that gives one'),
    );
  if (headers !== undefined) problems.push(...headerProblems(headers));
  if (problems.length > 0) return { ok: false, problems };
  const respond = {
    when,
    withinSeconds,
    ...(status !== undefined && { status }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
  } as unknown as Respond;
  const compiled = compileRespond(respond);
  return compiled.ok ? { ok: true, value: respond } : compiled;
}

function isStatus(status: Json): boolean {
  if (typeof status === 'string') return status.includes('{{');
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599;
}

function headerProblems(headers: Json): Problem[] {
  if (!isJsonObject(headers) || Object.keys(headers).length > MAX_RESPOND_HEADERS)
    return [problem('/respond/headers', `must be an object of at most ${MAX_RESPOND_HEADERS} headers`)];
  return Object.entries(headers).flatMap(([name, value]) => {
    const pointer = `/respond/headers/${name.slice(0, 80).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!isAnswerHeader(name))
      return [
        problem(
          pointer,
          'an answer sets content-type, content-language, cache-control, retry-after, location, link and x-… only',
        ),
      ];
    return typeof value === 'object' && value !== null ? [problem(pointer, 'must be text')] : [];
  });
}

function refuse(
  pointer: string,
  message: string,
  hint?: string,
): { readonly ok: false; readonly problems: Problem[] } {
  return { ok: false, problems: [{ ...problem(pointer, message), ...(hint !== undefined && { hint }) }] };
}

function problem(pointer: string, message: string): Problem {
  return { pointer, code: 'validation', message };
}
