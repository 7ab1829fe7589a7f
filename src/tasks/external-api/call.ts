// What an external_api sends: its config, compiled once and evaluated for each call.
import {
  DEFAULT_CALLBACK_SECONDS,
  type ResponseType,
} from '../../core/definition/checks/external-api-rule.ts';
import type { NodeDefinition } from '../../core/definition/model.ts';
import { compileUrl, evaluateMapping, type Mapping } from '../../core/expression/mapping.ts';
import { lazy, readScope, type Scope } from '../../core/expression/scope.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { compiled, compileField, invalidField, readField } from '../compile-config.ts';
import type { HttpRequest } from '../outbound/message.ts';
import { missingSecret, type NamedSecrets, readNamedSecrets } from '../read-secrets.ts';
import type { Secret } from '../secret.ts';
import type { Callback, CallbackLimits, TaskContext } from '../task-type.ts';
import { type Auth, readAuth } from './auth.ts';
import {
  addHeader,
  invalid,
  isHeaderValue,
  readCost,
  readExpected,
  readHeaders,
  readIdempotent,
  readMaxBytes,
  readMethod,
  readResponseType,
  readUrl,
} from './fields.ts';
import { encodeBody } from './request-body.ts';

const FIELDS = [
  'method',
  'query',
  'headers',
  'body',
  'credential',
  'expectedStatus',
  'idempotent',
  'responseType',
  'maxResponseBytes',
  'costUsd',
  'callback',
] as const;
type Field = (typeof FIELDS)[number];

export interface ApiConfig {
  readonly node: NodeDefinition;
  readonly mappings: readonly Mapping[];
  readonly url: Mapping;
  readonly fields: ReadonlyMap<Field, Mapping>;
  /** Read apart, as its secrets may go elsewhere than the call: to a token endpoint. */
  readonly auth: Mapping | null;
  readonly hasCallback: boolean;
}

/** A call that is ready to be made. */
export interface ApiCall {
  readonly taskId: string;
  readonly request: Omit<HttpRequest, 'signal' | 'onSend'>;
  /** Null: nobody, or what its headers say. */
  readonly auth: { readonly of: Auth; readonly secrets: readonly Secret[] } | null;
  /** X1 of external-api.ts. */
  readonly mayRepeat: boolean;
  /** Absent: free. Null: unknown. */
  readonly costUsd?: string | null;
  readonly isExpected: (status: number) => boolean;
  /** For messages. */
  readonly expected: string;
  /** Null: by the answer's Content-Type. */
  readonly responseType: ResponseType | null;
}

const MAX_SECONDS = 315_360_000;

export function compileApiConfig(node: NodeDefinition): ApiConfig {
  const url = compiled(node, compileUrl(String(readField(node, 'url') ?? ''), '/config/url'));
  const given = FIELDS.filter((field) => readField(node, field) !== undefined);
  const fields = new Map(given.map((field) => [field, compileField(node, field)]));
  const auth = readField(node, 'auth') === undefined ? null : compileField(node, 'auth');
  const mappings = [url, ...fields.values(), ...(auth === null ? [] : [auth])];
  return { node, url, fields, auth, mappings, hasCallback: fields.has('callback') };
}

/** What the config names, but for `auth`. Throws `validation` where one that it needs is not there. */
export async function secretsOfCall({ url, fields }: ApiConfig, context: TaskContext): Promise<NamedSecrets> {
  return await readNeeded([url, ...fields.values()], context);
}

async function readNeeded(mappings: readonly Mapping[], context: TaskContext): Promise<NamedSecrets> {
  const secrets = await readNamedSecrets(mappings, context.outside.secrets);
  const [missing] = secrets.missing;
  if (missing !== undefined) throw await missingSecret(missing, context);
  return secrets;
}

/** The task's scope with what only an external_api sees. */
export function scopeOfCall(
  { scope }: TaskContext,
  { values: secrets }: NamedSecrets,
  callback: Callback | null,
): Scope {
  const task = lazy(() => {
    const own = readScope(scope, 'task');
    const { url: callbackUrl, token: callbackToken } = callback ?? {};
    return { ...(isJsonObject(own) && own), ...(callback !== null && { callbackUrl, callbackToken }) };
  });
  return Object.assign(Object.create(null) as object, scope, { secrets, task }) as Scope;
}

export function evaluateWait({ node, fields }: ApiConfig, scope: Scope): CallbackLimits {
  const mapping = fields.get('callback');
  const given = mapping === undefined ? {} : evaluateMapping(mapping, scope);
  if (!isJsonObject(given)) throw invalidField(node, 'callback', 'an object', given);
  const readMs = (name: string, value: Json): number => {
    if (typeof value === 'number' && value > 0 && value <= MAX_SECONDS) return Math.ceil(value * 1000);
    throw invalidField(node, `callback.${name}`, `seconds, up to ${MAX_SECONDS}`, value);
  };
  const { timeoutSeconds = DEFAULT_CALLBACK_SECONDS, heartbeatSeconds = null } = given;
  return {
    timeoutMs: readMs('timeoutSeconds', timeoutSeconds),
    heartbeatMs: heartbeatSeconds === null ? null : readMs('heartbeatSeconds', heartbeatSeconds),
  };
}

/** Evaluates the config. Throws ExpressionError, or TerminalError `validation`. */
export async function evaluateCall(
  config: ApiConfig,
  scope: Scope,
  secrets: NamedSecrets,
  context: TaskContext,
): Promise<ApiCall> {
  const { node, fields } = config;
  const read = reader(config, scope);
  const { bodyValue, method, isIdempotent, mayRepeat } = readSending(config, scope);
  const headers = readHeaders(node, read('headers'));
  const body = await encodeBody(node, bodyValue, headers.get('content-type'));
  if (body?.replacesType) headers.delete('content-type');
  if (body !== null) addHeader(headers, 'content-type', body.contentType);
  if (isIdempotent && isUnsafe(method)) addHeader(headers, 'idempotency-key', context.idempotencyKey);
  addHeader(headers, 'accept', '*/*');
  addHeader(headers, 'user-agent', 'dagwright');
  const credential = read('credential');
  const bearer = credential === null ? null : await authorize(node, headers, credential, context);
  const auth = await authOf(config, headers, context);
  // A token is as good as the secrets that it was made of: it goes only where they may.
  const authSecrets = auth?.secrets ?? [];
  const expected = readExpected(node, read('expectedStatus'));
  const isExpected = (status: number): boolean =>
    expected.some((one) => one === String(status) || one === `${String(status)[0]}xx`);
  return {
    taskId: node.taskId,
    request: {
      method,
      url: readUrl(node, evaluateMapping(config.url, scope), read('query')),
      headers: Object.fromEntries(headers),
      body: body?.bytes ?? null,
      maxBytes: readMaxBytes(node, read('maxResponseBytes')),
      usedSecrets: [...secrets.used, ...authSecrets, ...(bearer === null ? [] : [bearer])],
      hasSecretBody: fields.get('body')?.references.some(({ root }) => root === 'secrets') ?? false,
      isOnce: !mayRepeat,
      keepsStatus: isExpected,
    },
    auth,
    mayRepeat,
    ...(fields.has('costUsd') && { costUsd: readCost(node, read('costUsd')) }),
    isExpected,
    expected: expected.join(', '),
    responseType: readResponseType(node, read('responseType')),
  };
}

/** X1 of external-api.ts. */
export function mayRepeatCall(config: ApiConfig, scope: Scope): boolean {
  return readSending(config, scope).mayRepeat;
}

function readSending(config: ApiConfig, scope: Scope) {
  const read = reader(config, scope);
  const bodyValue = read('body');
  const method = readMethod(config.node, read('method'), bodyValue !== null);
  const isIdempotent = readIdempotent(config.node, read('idempotent'));
  return { bodyValue, method, isIdempotent, mayRepeat: isIdempotent || !isUnsafe(method) };
}

/** Reads a field; null where the author wrote nothing. */
function reader({ fields }: ApiConfig, scope: Scope): (field: Field) => Json {
  return (field) => {
    const mapping = fields.get(field);
    return mapping === undefined ? null : evaluateMapping(mapping, scope);
  };
}

/** Requests that do something anew each time (RFC 9110, 9.2.2). */
function isUnsafe(method: string): boolean {
  return method === 'POST' || method === 'PATCH';
}

async function authOf(
  { node, auth: mapping }: ApiConfig,
  headers: ReadonlyMap<string, string>,
  context: TaskContext,
): Promise<ApiCall['auth']> {
  if (mapping === null) return null;
  if (headers.has('authorization'))
    throw invalid(node, 'config.auth and an authorization header exclude each other');
  const secrets = await readNeeded([mapping], context);
  const of = readAuth(node, evaluateMapping(mapping, scopeOfCall(context, secrets, null)));
  return { of, secrets: [...secrets.used] };
}

async function authorize(
  node: NodeDefinition,
  headers: Map<string, string>,
  name: Json,
  context: TaskContext,
): Promise<Secret> {
  if (typeof name !== 'string') throw invalidField(node, 'credential', 'the name of a secret', name);
  if (headers.has('authorization'))
    throw invalid(node, 'config.credential and config.headers.authorization exclude each other');
  const secret = await context.outside.secrets.read(name);
  if (secret === null) throw await missingSecret(name, context);
  if (!isHeaderValue(secret.value))
    throw invalid(node, `the secret "${name}" holds what a header cannot hold`);
  headers.set('authorization', `Bearer ${secret.value}`);
  return secret;
}
