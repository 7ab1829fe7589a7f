// A Dagwright service elsewhere, spoken to over its HTTP API: what commands use with --server in place of a database.
import type { ProblemCode } from '../../core/codes/code.ts';
import type { Problem } from '../../core/errors.ts';
import type { Outcome, RefusalCode } from '../../resources/outcome.ts';
import { Refusal, refuse } from '../refusal.ts';
import { isLoopback } from '../settings/http-settings.ts';

export interface ServerSettings {
  readonly url: string;
  readonly key: string | undefined;
  /** For the operator's key: in which tenant it acts. */
  readonly tenant: string;
  /** --tenant said so. */
  readonly isTenantGiven: boolean;
}

export interface RemoteRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the service's address, its parts escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route answered: its body, null where there is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Longer than any answer takes that is no stream; a start with `wait` asks for less. */
const ANSWER_MS = 60_000;
/** Refusals that commands have words for; others are told as they came. */
const REFUSALS: ReadonlySet<string> = new Set<RefusalCode>([
  'validation',
  'not_found',
  'removed',
  'name_taken',
  'path_taken',
  'trigger_taken',
  'revision_mismatch',
  'from_definition',
  'cannot_start',
  'scope_exceeded',
  'already_ended',
  'expired',
  'self_approval',
  'not_assignee',
  'already_decided',
  'claimed',
  'fence_mismatch',
  'payload_too_large',
]);
const HINTS: Readonly<Partial<Record<ProblemCode, string>>> = {
  unauthorized: '--key KEY, or DAGWRIGHT_KEY',
  tenant_missing: "--tenant NAME says whose, with the operator's key",
};

/** What to say before a key goes where others can read it; null: it does not. */
export function openKeyWarning({ url, key }: Pick<ServerSettings, 'url' | 'key'>): string | null {
  const { protocol, hostname, origin } = new URL(url);
  if (key === undefined || protocol !== 'http:' || isLoopback(hostname)) return null;
  return `warning: the key goes to ${origin} unencrypted, and whoever is on the way can read it: use https, or a tunnel to 127.0.0.1`;
}

export class RemoteService {
  readonly #settings: ServerSettings;
  #tenantId: Promise<string | null> | undefined;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
  }

  /** What a route of a tenant answers, null where there is no body; a refusal as the act behind the route would give it. */
  async ask(request: RemoteRequest): Promise<Outcome<Answer>> {
    this.#tenantId ??= this.#findTenant();
    const tenantId = await this.#tenantId;
    return await this.#send(request, tenantId === null ? {} : { 'x-tenant-id': tenantId });
  }

  /** The same of a route of the installation. */
  async askAsOperator(request: RemoteRequest): Promise<Outcome<Answer>> {
    return await this.#send(request, {});
  }

  /** The tenant of this name, by its id; operators only. Null where there is none. */
  async findTenantId(name: string): Promise<string | null> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: RemoteRequest['query'] = { limit: 100, ...(cursor === '' ? {} : { cursor }) };
      const found = await this.askAsOperator({ method: 'GET', path: '/v1/tenants', query });
      const page = bodyOrRefuse(found) as {
        items: { id: string; name: string }[];
        nextCursor: string | null;
      };
      const tenant = page.items.find((one) => one.name === name);
      if (tenant !== undefined) return tenant.id;
      cursor = page.nextCursor;
    }
    return null;
  }

  // A key of a tenant acts in that one; the operator's says in which, by an id that names are looked up for.
  async #findTenant(): Promise<string | null> {
    const { tenant, isTenantGiven, key } = this.#settings;
    // An open service acts as `default` where nobody says otherwise.
    if ((key === undefined || key.startsWith('dw_')) && !isTenantGiven) return null;
    if (key?.startsWith('dw_'))
      throw refuse(
        'usage',
        '--tenant: a key acts in its own tenant',
        'leave it out, or send the key of that tenant',
      );
    const id = await this.findTenantId(tenant);
    if (id === null) throw refuse('not_found', `there is no tenant "${tenant}"`, 'dagwright tenants list');
    return id;
  }

  async #send(
    { method, path, query = {}, body, headers = {} }: RemoteRequest,
    more: Readonly<Record<string, string>>,
  ): Promise<Outcome<Answer>> {
    const { url, key } = this.#settings;
    const address = new URL(url.replace(/\/+$/, '') + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined && value !== null) address.searchParams.set(name, String(value));
    const isText = typeof body === 'string';
    try {
      const response = await fetch(address, {
        method,
        headers: {
          accept: 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
          ...more,
          ...headers,
        },
        ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
        // Elsewhere the key would be lost, or another's; and a POST would become a GET.
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return await readAnswer(response, address);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const { cause, message } = error as Error;
      const why =
        cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : message;
      throw refuse(
        'unreachable',
        `${address.origin} does not answer: ${why}`,
        'is the service there? --server URL, or DAGWRIGHT_URL',
      );
    }
  }
}

async function readAnswer(response: Response, address: URL): Promise<Outcome<Answer>> {
  if (response.status >= 300 && response.status < 400)
    throw refuse(
      'redirected',
      `${address.origin} sends elsewhere: ${response.headers.get('location') ?? 'it does not say where'}`,
      '--server with that address',
    );
  const text = await response.text();
  let answer: unknown;
  try {
    answer = text === '' ? null : JSON.parse(text);
  } catch {
    throw refuse(
      'unexpected',
      `${address.origin} answered ${response.status} with no JSON`,
      'is --server the address of a Dagwright service?',
    );
  }
  if (response.ok) return { ok: true, value: { status: response.status, body: answer } };
  const {
    code = 'unexpected',
    detail = `status ${response.status}`,
    errors = [],
  } = (answer ?? {}) as {
    /** Another release may have others than this one's table. */
    readonly code?: ProblemCode;
    readonly detail?: string;
    readonly errors?: readonly Problem[];
  };
  if (REFUSALS.has(code)) return { ok: false, code: code as RefusalCode, message: detail, problems: errors };
  if (errors.length > 0) throw new Refusal(errors);
  throw refuse(code, detail, HINTS[code]);
}

/** The body of an answer, or a Refusal. */
export function bodyOrRefuse(outcome: Outcome<Answer>): unknown {
  if (outcome.ok) return outcome.value.body;
  const { problems, code, message } = outcome;
  throw new Refusal(problems.length > 0 ? problems : [{ pointer: '', code, message }]);
}

/** Of a command, or a part of one, that no route does. */
export const needsDatabase = (): Refusal =>
  refuse(
    'usage',
    'this needs the database: --server does not do it',
    'leave --server out, and set DATABASE_URL',
  );
