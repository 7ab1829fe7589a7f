// Secrets in no row and no log line (FAULTS S5): a canary goes out in every way, comes back in every form and by every
// error path, and is then looked for in the whole database.

import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { definition, type Engine, openEngine, type Run } from '../support/engine.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { type Answer, openRawStub, openStub, raw, type Stub } from '../tasks/outbound/support/stub-server.ts';

/** 32 bytes, among them all that URLs, JSON and forms write in another way. */
const CANARY = 'kQ7"z\\9/x+V&m%R=2?dE#tYb~LpW c4;';
const base64 = (before: string): string => Buffer.from(`${before}${CANARY}after`).toString('base64');
const escaped = JSON.stringify(CANARY).slice(1, -1);

/** Texts that give the canary away, made here anew and not taken from the code. */
const FORMS: ReadonlyMap<string, string> = new Map([
  ['plain', CANARY],
  ['a part of it', CANARY.slice(8, 24)],
  ['JSON', escaped],
  ['JSON within JSON', JSON.stringify(escaped).slice(1, -1)],
  ['URL', encodeURIComponent(CANARY)],
  ['a form', new URLSearchParams({ a: CANARY }).toString().slice(2)],
  ['hex', Buffer.from(CANARY).toString('hex')],
  ...[0, 1, 2].flatMap((before): [string, string][] => {
    // Without the characters that its neighbours have a part in.
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(CANARY)]).toString('base64');
    const inner = text.slice(before === 0 ? 0 : 4, 40);
    return [
      [`base64 after ${before} bytes`, inner],
      [`base64url after ${before} bytes`, inner.replaceAll('+', '-').replaceAll('/', '_')],
    ];
  }),
]);

const ECHOES: Record<string, string> = {
  plain: `your key ${CANARY} is wrong`,
  json: JSON.stringify({ error: { key: CANARY, [CANARY]: 1 } }),
  'json in json': JSON.stringify({ error: JSON.stringify({ key: CANARY }) }),
  url: `https://x.example/?key=${encodeURIComponent(CANARY)}`,
  form: new URLSearchParams({ key: CANARY }).toString(),
  base64: base64(''),
  'base64 after 1': base64('a'),
  'base64 after 2': base64('ab'),
  base64url: base64('').replaceAll('+', '-').replaceAll('/', '_'),
  hex: Buffer.from(CANARY).toString('hex'),
};

let engine: Engine;
let stub: Stub;
let malformed: Stub;
let broken: Stub;
let untrusted: Stub;
const lines: string[] = [];
const routes = new Map<string, Answer>();

beforeAll(async () => {
  stub = await openStub((request, response) => {
    const route = routes.get(decodeURIComponent(request.target.slice(1).split('?')[0]!));
    if (route === undefined) response.end(JSON.stringify(request));
    else route(request, response);
  });
  malformed = await openRawStub(raw(`${CANARY} HTTP/1.1 ${CANARY}\r\n\r\n`));
  const half = `HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${CANARY}`;
  broken = await openRawStub(raw(half, (socket) => void setTimeout(() => socket.resetAndDestroy(), 20)));
  untrusted = await openStub((_, response) => response.end(CANARY), { tls: true });
  const note = (message: string, fields?: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields ?? '')}`);
  const log: TaskLog = { debug: note, info: note, warn: note, error: note };
  engine = await openEngine({
    log,
    keepsDebugLines: true,
    outside: {
      allowedHosts: ['127.0.0.1'],
      secrets: secretsInEnvironment({ CANARY, BROKEN: `${CANARY}\n` }),
      providers: new Map([['openai', { apiKey: CANARY, baseUrl: `${stub.origin}/openai` }]]),
    },
  });
});
afterAll(async () => {
  await engine.close();
  await Promise.all([stub, malformed, broken, untrusted].map((one) => one.close()));
});

const answer =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
const asJson = { 'content-type': 'application/json' };
const api = (path: string, config: JsonObject = {}, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  taskId: 'call',
  taskType: 'external_api',
  dependsOn: [],
  config: { url: `${stub.origin}/${encodeURIComponent(path)}`, credential: 'CANARY', ...config },
  ...more,
});
/** A call whose body, headers, query and path all hold the canary. */
const everywhere = (url: string): NodeDefinition =>
  api('', {
    url: `${url}/{{ secrets.CANARY }}`,
    query: { key: '{{ secrets.CANARY }}' },
    headers: { 'x-key': '{{ secrets.CANARY }}' },
    body: { key: '{{ secrets.CANARY }}' },
  });
const after = (taskType: string, config: JsonObject): NodeDefinition => ({
  taskId: 'next',
  taskType,
  dependsOn: [{ taskId: 'call' }],
  config,
});
const model = (): NodeDefinition => ({
  taskId: 'ask',
  taskType: 'model_inference',
  modelId: 'openai/gpt-4o',
  dependsOn: [],
  config: { prompt: 'hello' },
});

/** Each a run, by what goes wrong. `expected`: the code it fails with, or null where it completes. */
function cases(): Map<string, { nodes: NodeDefinition[]; expected: string | null }> {
  const all = new Map<string, { nodes: NodeDefinition[]; expected: string | null }>();
  const add = (title: string, expected: string | null, ...nodes: NodeDefinition[]): void =>
    void all.set(title, { nodes, expected });
  const route = (title: string, one: Answer): string => {
    routes.set(title, one);
    return title;
  };
  for (const [form, text] of Object.entries(ECHOES)) {
    const type = text.startsWith('{') ? asJson : { 'content-type': 'text/plain' };
    add(`401, ${form}`, 'http_401', api(route(`401, ${form}`, answer(401, text, type))));
    add(
      `500, ${form}`,
      'http_500',
      api(route(`500, ${form}`, answer(500, `${'.'.repeat(1980)}${text}`, type))),
    );
    add(`200, ${form}`, null, api(route(`200, ${form}`, answer(200, text, type))));
  }
  add('an echo of the whole request', null, everywhere(stub.origin));
  add('bytes', null, api(route('bytes', answer(200, `xy${CANARY}`, { 'content-type': 'image/png' }))));
  add(
    'an echo in headers',
    null,
    api(route('an echo in headers', answer(200, '', { link: CANARY, etag: base64('a') }))),
  );
  add(
    'an echo in the status text',
    'http_403',
    api(
      route('an echo in the status text', (_, response) => {
        response.writeHead(403, `no ${CANARY}`);
        response.end();
      }),
    ),
  );
  add('bad JSON', 'output_invalid', api(route('bad JSON', answer(200, `{"key": ${CANARY}`, asJson))));
  add(
    'bad gzip',
    'output_invalid',
    api(route('bad gzip', answer(200, CANARY, { 'content-encoding': 'gzip' }))),
  );
  add(
    'too long',
    'payload_too_large',
    api(route('too long', answer(200, gzipSync(CANARY.repeat(50_000)), { 'content-encoding': 'gzip' }))),
  );
  add('malformed HTTP', 'network', everywhere(malformed.origin));
  add('a reset', 'network', everywhere(broken.origin));
  add('TLS', 'network', everywhere(untrusted.origin));
  add('nobody listens', 'network', everywhere('http://127.0.0.1:1'));
  add('a refused destination', 'blocked_destination', everywhere('http://169.254.169.254'));
  add(
    'a timeout',
    'timeout',
    api(
      route('a timeout', () => {}),
      {},
      { timeoutSeconds: 0.5 },
    ),
  );
  const away = (location: string): Answer => answer(302, CANARY, { location });
  const query = encodeURIComponent(CANARY);
  add(
    'a redirect that is refused',
    'blocked_destination',
    api(route('away', away(`http://10.0.0.1/?key=${query}`))),
  );
  add(
    'a redirect with a user',
    'blocked_destination',
    api(route('user', away(`http://${query}@127.0.0.1/`))),
  );
  add('a redirect to no URL', 'network', api(route('no URL', away(`http://[${query}`))));
  add('a redirect to itself', 'network', api(route('itself', away(`/itself?key=${query}`))));
  add('a redirect to an echo', null, api(route('to an echo', away(`/?key=${query}`))));
  add('a URL that is none', 'validation', api('', { url: '{{ secrets.CANARY }}' }));
  add('a host that is none', 'validation', api('', { url: 'http://{{ secrets.CANARY }}/' }));
  add('a secret with a line break', 'validation', api('', { credential: 'BROKEN' }));
  add('a header with a line break', 'validation', api('', { headers: { a: '{{ secrets.BROKEN }}x' } }));
  add('a secret that is no method', 'validation', api('', { method: '{{ secrets.CANARY }}' }));
  add('a secret that is no cost', 'validation', api('', { costUsd: '{{ secrets.CANARY }}' }));
  add('a secret that is no status', 'validation', api('', { expectedStatus: '{{ secrets.CANARY }}' }));
  add('a secret as the name of another', 'validation', api('', { credential: '{{ secrets.CANARY }}' }));
  for (const text of [
    'number(secrets.CANARY)',
    'parseJson(secrets.CANARY)',
    'secrets.CANARY * 2',
    "formatDate(secrets.CANARY, 'yyyy')",
    'secrets.CANARY.x',
  ])
    add(text, '', api('', { body: `{{ ${text} }}` }));
  const echo = (): NodeDefinition => api(route('echo', answer(200, JSON.stringify({ key: CANARY }), asJson)));
  add(
    'what the next task makes of it',
    null,
    echo(),
    after('transformation', { output: 'key: {{ tasks.call.output.body.key }}' }),
  );
  add('an outputMapping', null, { ...echo(), outputMapping: '$.output.body.key' });
  add('an inputMapping', null, echo(), {
    ...after('probe', {}),
    inputMapping: { key: '$.tasks.call.output.body' },
  });
  add(
    'a failure that tells it',
    'told',
    echo(),
    after('fail', { code: 'told', message: '{{ tasks.call.output.body.key }}' }),
  );
  add('a failure of code that tells it', 'handler_error', {
    ...after('probe', {}),
    taskId: 'throws',
    dependsOn: [],
  });
  add('a log line', null, { ...after('probe', {}), taskId: 'logs', dependsOn: [] });
  add('a checkpoint', null, { ...after('probe', {}), taskId: 'keeps', dependsOn: [] });
  add('usage', null, { ...after('probe', {}), taskId: 'spends', dependsOn: [] });
  add('a callback that brings it', null, called('output', { key: CANARY, [CANARY]: base64('a') }));
  add(
    'a callback that fails with it',
    'http_500',
    called('error', { code: 'http_500', message: CANARY, details: { key: CANARY } }),
  );
  const error = JSON.stringify({ error: { message: `Incorrect API key provided: ${CANARY}`, code: CANARY } });
  routes.set('openai/chat/completions', answer(401, error, asJson));
  routes.set('openai/responses', answer(401, error, asJson));
  add('a model provider that refuses it', '', model());
  return all;

  function called(kind: 'output' | 'error', value: Json): NodeDefinition {
    const title = route(`called ${kind}`, ({ body }, response) => {
      const { token } = JSON.parse(body) as { token: string };
      void engine.database
        .withTenant(DEFAULT_TENANT_ID, (client) =>
          client.query(`select dagwright.complete_callback($1, ${kind} => $2)`, [
            token,
            JSON.stringify(value),
          ]),
        )
        .then(() => response.end());
    });
    return api(title, { method: 'POST', body: { token: '{{ task.callbackToken }}' }, callback: {} });
  }
}

function hitsIn(text: string): string[] {
  return [...FORMS].filter(([, form]) => text.includes(form)).map(([name]) => name);
}

/** Every row of every table, as text, by table; read by the server's own user, whom no policy holds. */
async function dump(): Promise<Map<string, string[]>> {
  const client = new pg.Client({ connectionString: engine.database.url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('dagwright', 'graphile_worker')`,
    );
    const rows = new Map<string, string[]>();
    for (const { name } of tables.rows) {
      const found = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      // A row as text doubles quotes and backslashes.
      rows.set(
        name,
        found.rows.map(({ row }) => `${row} ${row.replaceAll('""', '"').replaceAll('\\\\', '\\')}`),
      );
    }
    return rows;
  } finally {
    await client.end();
  }
}

describe('a secret', () => {
  let runs: Map<string, { run: Run; expected: string | null }>;
  beforeAll(async () => {
    engine.bodies.throws = () => {
      throw Object.assign(new Error(`cannot use ${CANARY}`), { code: CANARY });
    };
    engine.bodies.logs = (context) => {
      for (const text of Object.values(ECHOES)) context.log.info(text, { [text]: { deep: [text] } });
      for (const text of Object.values(ECHOES)) context.log.error(text);
    };
    engine.bodies.keeps = async (context) => await context.checkpoint(ECHOES as JsonObject);
    engine.bodies.spends = (context) => context.addCost(0, { key: CANARY, [CANARY]: base64('ab') });
    engine.bodies.next = (context) => context.input;
    runs = new Map(
      await Promise.all(
        [...cases()].map(async ([title, { nodes, expected }]) => {
          const run = await engine.run(definition(nodes));
          return [title, { run, expected }] as const;
        }),
      ),
    );
    // What is logged is written a little later.
    await engine.worker.stop();
  }, 120_000);

  it('is on every path that is meant, more than thirty of which fail', () => {
    const ends = [...runs].map(([title, { run, expected }]) => {
      const failed = run.tasks.find(({ status }) => status === 'failed');
      const code = failed === undefined ? null : expected === '' ? '' : failed.error!.code;
      return [title, code, expected] as const;
    });
    expect(ends.filter(([, code, expected]) => code !== expected)).toEqual([]);
    expect(ends.filter(([, code]) => code !== null).length).toBeGreaterThan(30);
    expect(stub.received.some(({ headers }) => headers.authorization === `Bearer ${CANARY}`)).toBe(true);
  });

  it('is in no row of the database', async () => {
    const tables = await dump();
    for (const name of [
      'task_executions',
      'task_attempts',
      'execution_logs',
      'task_callbacks',
      'workflow_executions',
    ])
      expect(tables.get(`dagwright.${name}`)?.length, name).toBeGreaterThan(0);
    const hits = [...tables].flatMap(([name, rows]) =>
      rows.flatMap((row) => hitsIn(row).map((form) => `${name}: ${form} in ${row.slice(0, 300)}`)),
    );
    expect(hits).toEqual([]);
  });

  it('is in no log line', () => {
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.flatMap((line) => hitsIn(line).map((form) => `${form} in ${line.slice(0, 300)}`))).toEqual(
      [],
    );
  });

  it('would be found, if it were there', () => {
    for (const [form, text] of Object.entries(ECHOES)) expect(hitsIn(text), form).not.toEqual([]);
    expect(hitsIn(JSON.stringify([ECHOES])).length).toBeGreaterThan(8);
    expect(hitsIn(JSON.stringify(ECHOES).replaceAll(escaped, ''))).not.toEqual([]);
  });
});
