// The log of executions: what tasks and the engine write there, what it costs, and what happens when the database is slow,
// away, or refuses a line.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { newId } from '../../src/core/id.ts';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { createRedact, redactNothing } from '../../src/core/redact.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { ExecutionLog, type ExecutionLogOptions } from '../../src/engine/log/execution-log.ts';
import { type Engine, failing, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution } from '../support/executions.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

interface Row {
  readonly task_id: string | null;
  readonly map_index: number | null;
  readonly attempt_number: number | null;
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | null;
}
const linesOf = (executionId: string) =>
  engine.query<Row>(
    `select task_id, map_index, attempt_number, level, message, fields from dagwright.execution_logs
     where workflow_execution_id = $1 order by id`,
    [executionId],
  );
const linesWhen = (executionId: string, count: number) =>
  until(async () => {
    const lines = await linesOf(executionId);
    return lines.length >= count && lines;
  });

describe('an execution', () => {
  test('keeps what its tasks log, with task, item and attempt; debug is not kept', async () => {
    engine.bodies.a = ({ log }) => {
      log.debug('too fine');
      log.info('first', { n: 1 });
      log.warn('second');
    };
    engine.bodies.p = ({ log, idempotencyKey }) => log.error(`item ${idempotencyKey.split(':').at(-1)}`);
    const run = await engine.run(
      graph('a -> p', {
        tasks: { p: { taskType: 'parallel', config: { items: [7, 8], task: { taskType: 'probe' } } } },
      }),
    );
    const lines = await linesWhen(run.execution.id, 4);
    expect(lines.slice(0, 2)).toEqual([
      { task_id: 'a', map_index: null, attempt_number: 1, level: 'info', message: 'first', fields: { n: 1 } },
      { task_id: 'a', map_index: null, attempt_number: 1, level: 'warn', message: 'second', fields: null },
    ]);
    const items = lines.slice(2).map(({ task_id, map_index, message }) => [task_id, map_index, message]);
    expect(items.sort()).toEqual([
      ['p', 0, 'item 0'],
      ['p', 1, 'item 1'],
    ]);
  });

  test('keeps why attempts failed, and that they are tried again', async () => {
    let tries = 0;
    engine.bodies.r = () => {
      if (++tries < 3) throw new Error(`not yet ${tries}`);
    };
    const run = await engine.run(
      graph('r; f', {
        failurePolicy: 'continue',
        tasks: {
          r: { retry: { maxAttempts: 3, initialIntervalSeconds: 0.01 } },
          f: failing('boom'),
        },
      }),
    );
    const lines = await linesWhen(run.execution.id, 3);
    expect(
      lines.filter(({ task_id }) => task_id === 'r').map(({ level, message }) => [level, message]),
    ).toEqual([
      ['warn', 'attempt 1 failed and will be retried: handler_error: not yet 1'],
      ['warn', 'attempt 2 failed and will be retried: handler_error: not yet 2'],
    ]);
    // The line of the task's code, in the log and not in what is stored of the error.
    expect(lines.find(({ task_id }) => task_id === 'r')!.fields).toMatchObject({
      code: 'handler_error',
      thrownAt: expect.stringMatching(/^test\/engine\/logs\.test\.ts:\d+:\d+$/),
      stack: expect.any(Array),
    });
    expect(JSON.stringify(run)).not.toContain('logs.test.ts');
    expect(lines.find(({ task_id }) => task_id === 'f')).toMatchObject({
      level: 'error',
      message: 'the task failed: boom: it was boom',
      fields: { code: 'boom' },
    });
  });

  test('keeps that and why it was cancelled', async () => {
    const hold = gate();
    engine.bodies.c = () => hold.opened;
    const one = graph('c');
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, id, 'no longer wanted');
    await engine.ended(id);
    hold.open();
    expect(await linesWhen(id, 1)).toMatchObject([
      {
        task_id: null,
        level: 'info',
        message: 'the execution was ended as cancelled: cancelled: no longer wanted',
      },
    ]);
  });

  test('whose tasks log nothing writes nothing', async () => {
    const run = await engine.run(graph('q -> w -> e'));
    const queries = vi.spyOn(engine.database.engine, 'query');
    const again = await engine.ended(await engine.start(run.execution.workflowId));
    const written = queries.mock.calls.filter((call) => JSON.stringify(call).includes('execution_logs'));
    queries.mockRestore();
    expect([written, await linesOf(run.execution.id), await linesOf(again.execution.id)]).toEqual([
      [],
      [],
      [],
    ]);
  });

  test('a worker that drains writes its last lines before it has stopped', async () => {
    const worker = await engine.addWorker();
    engine.bodies.last = ({ log }) => log.info('the last words');
    const one = graph('last');
    await engine.worker.stop();
    const run = await engine.run(one);
    await worker.stop();
    expect((await linesOf(run.execution.id)).map(({ message }) => message)).toEqual(['the last words']);
  });
});

/** A log of its own on the engine's database (or what `send` makes of it), with what the process's log got. */
function openLog(
  options: Partial<ExecutionLogOptions> & { send?: (text: string) => Promise<void> | void } = {},
) {
  const told: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const tell = (level: string) => (message: string, fields?: object) =>
    void told.push({ level, message, fields: { ...fields } });
  const log: TaskLog = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
  const batches: number[] = [];
  const query = (async (statement: { values: unknown[][] }) => {
    batches.push(statement.values[0]!.length);
    await options.send?.(JSON.stringify(statement.values));
    return await engine.database.engine.query(statement as never);
  }) as never;
  return { told, batches, log: new ExecutionLog({ db: { query }, log, redact: redactNothing, ...options }) };
}

describe('the writer', () => {
  let executionId: string;
  const attempt = (more = {}) => ({
    executionId,
    tenantId: DEFAULT_TENANT_ID,
    taskId: 't',
    mapIndex: null,
    attempt: 1,
    ...more,
  });
  beforeAll(async () => {
    const one = graph('t');
    await engine.apply(one);
    await engine.addWorker();
    executionId = await engine.start(one.workflowId);
    await engine.ended(executionId);
  });
  afterEach(() => engine.query('delete from dagwright.execution_logs'));

  test('gathers lines into one insert, in the order in which they were logged', async () => {
    const { log, batches } = openLog();
    const [one, two] = [log.forAttempt(attempt()), log.forAttempt(attempt({ taskId: 'u' }))];
    for (let i = 0; i < 200; i++) (i % 2 ? one : two).info(String(i));
    await log.close();
    expect(batches).toEqual([200]);
    expect((await linesOf(executionId)).map(({ message }) => Number(message))).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
  });

  test('writes by itself about a quarter of a second later', async () => {
    const { log } = openLog();
    log.note({ executionId }, 'info', 'by itself');
    await linesWhen(executionId, 1);
    await log.close();
  });

  test('gives the process log every line with the ids of its attempt, which the task cannot replace', async () => {
    const { log, told } = openLog({ workerId: () => 'w1' });
    log.forAttempt(attempt({ mapIndex: 3, attempt: 2 })).warn('hello', { taskId: 'someone else', n: 1 });
    await log.close();
    expect(told).toEqual([
      {
        level: 'warn',
        message: 'hello',
        fields: {
          executionId,
          tenantId: DEFAULT_TENANT_ID,
          taskId: 't',
          mapIndex: 3,
          attempt: 2,
          workerId: 'w1',
          n: 1,
        },
      },
    ]);
  });

  test('keeps no secret, in messages, values and names, plain or encoded', async () => {
    const secret = 'canary-0123456789-abcdef"/';
    const { log, told } = openLog({ redact: createRedact([secret]) });
    const base64 = Buffer.from(`x${secret}`).toString('base64');
    const line = log.forAttempt(attempt());
    line.info(`it is ${secret} and ${base64}`, {
      [secret]: encodeURIComponent(secret),
      deep: [{ s: `<${secret}>` }],
    });
    line.info(`${'x'.repeat(7_990)}${secret}`);
    line.error('an error', new Error(`failed with ${secret}`) as never);
    await log.close();
    const everything = JSON.stringify([await linesOf(executionId), told]);
    expect(everything).toContain('[redacted]');
    for (const form of [
      'canary',
      encodeURIComponent(secret),
      Buffer.from('canary-012345678').toString('base64').slice(0, 16),
    ])
      expect(everything).not.toContain(form);
  });

  test('shows an error that is logged as a field, beside the others', async () => {
    const { log } = openLog();
    log.forAttempt(attempt()).warn('odd', { error: new TypeError('not that') as never, order: 7 });
    await log.close();
    expect(await linesOf(executionId)).toMatchObject([
      { message: 'odd', fields: { error: 'TypeError: not that', order: 7 } },
    ]);
  });

  test('keeps what cannot be stored in a form that can, and never throws', async () => {
    const { log } = openLog();
    const line = log.forAttempt(attempt());
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    line.info('a NUL \u0000 and a lone surrogate \ud800');
    line.info('é'.repeat(8_000));
    line.info('\u0000'.repeat(8_000));
    line.info('fields', { big: 'x'.repeat(17_000) });
    line.info('fields', circular as never);
    line.info('fields', { n: 2n } as never);
    line.info('fields', { s: 'lone \udfff' });
    line.info('fields', hostile as never);
    line.info('fields', 'just text' as never);
    line.info({
      toString: () => {
        throw new Error('no');
      },
    } as never);
    line.info(
      Symbol('s') as never,
      {
        toJSON: () => {
          throw new Error('no');
        },
      } as never,
    );
    await log.close();
    const lines = await linesOf(executionId);
    expect(lines).toHaveLength(11);
    expect(lines[0]!.message).toBe('a NUL \ufffd and a lone surrogate \ufffd');
    for (const { message } of lines) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(8_000);
    expect(lines[1]!.message).toMatch(/^é{3990,4000}…$/);
    for (const { fields } of lines.slice(3, 8)) expect(Object.keys(fields!)).toEqual(['problem']);
    expect(lines[8]!.fields).toEqual({ value: 'just text' });
    expect(lines[9]!.message).toBe('a message that has no text');
  });

  test('keeps 1,000 lines of an attempt, then says once that there were more; another attempt has its own', async () => {
    const { log } = openLog();
    const endless = log.forAttempt(attempt());
    for (let i = 0; i < 3_000; i++) endless.info(String(i));
    log.forAttempt(attempt({ attempt: 2 })).info('mine');
    await log.close();
    const lines = await linesOf(executionId);
    expect(lines).toHaveLength(1_002);
    expect(lines[999]!.message).toBe('999');
    expect(lines[1_000]).toMatchObject({ level: 'warn', message: expect.stringContaining('further lines') });
    expect(lines[1_001]!.message).toBe('mine');
  });

  test('sends a batch again whose answer was lost, and stores nothing twice', async () => {
    let sent = 0;
    const real = engine.database.engine;
    const { log } = openLog({
      db: {
        query: (async (statement: never) => {
          const answer = await real.query(statement);
          if (++sent === 1) throw Object.assign(new Error('Connection terminated unexpectedly'));
          return answer;
        }) as never,
      },
    });
    for (let i = 0; i < 5; i++) log.note({ executionId }, 'info', String(i));
    await log.close(10_000);
    expect(sent).toBe(2);
    expect((await linesOf(executionId)).map(({ message }) => message)).toEqual(['0', '1', '2', '3', '4']);
  });

  test('drops the oldest lines while the database is away, counts them, and says so', async () => {
    const away = gate();
    const { log, told } = openLog({ send: () => away.opened });
    for (let n = 0; n < 13; n++) {
      const line = log.forAttempt(attempt({ attempt: n }));
      for (let i = 0; i < 1_000; i++) line.debug('not kept');
      for (let i = 0; i < 1_000; i++) line.info(`${n * 1_000 + i}`);
    }
    away.open();
    await log.close(20_000);
    const lines = await linesOf(executionId);
    expect(lines).toHaveLength(10_000);
    expect([lines[0]!.message, lines.at(-1)!.message]).toEqual(['3000', '12999']);
    expect(told.filter(({ message }) => message.includes('were dropped'))).toEqual([
      expect.objectContaining({ level: 'warn', fields: { lines: 3_000 } }),
    ]);
  });

  test('holds 4 MB of lines at most', async () => {
    const away = gate();
    const { log } = openLog({ send: () => away.opened });
    const line = log.forAttempt(attempt());
    for (let i = 0; i < 900; i++) line.info(`${i} ${'x'.repeat(7_000)}`);
    away.open();
    await log.close(20_000);
    const lines = await linesOf(executionId);
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length * 7_000 * 2).toBeLessThan(4_100_000);
    expect(lines.at(-1)!.message).toMatch(/^899 /);
  });

  test('leaves out the one line that the database refuses, not its neighbours', async () => {
    const { log, told } = openLog({
      send: (values) => {
        if (values.includes('poison')) throw Object.assign(new Error('refused'), { code: '22P05' });
      },
    });
    for (const message of ['a', 'b', 'poison', 'c']) log.note({ executionId }, 'info', message);
    await log.close();
    expect((await linesOf(executionId)).map(({ message }) => message)).toEqual(['a', 'b', 'c']);
    expect(told).toMatchObject([{ level: 'warn', message: 'a log line could not be stored' }]);
  });

  test('gives up at the end where the database does not answer, and says how much is lost', async () => {
    const { log, told } = openLog({ send: () => Promise.reject(new Error('Connection terminated')) });
    for (let i = 0; i < 7; i++) log.note({ executionId }, 'info', String(i));
    await log.close(100);
    expect(told).toMatchObject([{ level: 'warn', fields: { lines: 7 } }]);
  });

  test('keeps no line of an execution that is gone', async () => {
    const { log } = openLog();
    const gone = newId();
    log.note({ executionId: gone }, 'info', 'nobody');
    log.note({ executionId }, 'info', 'somebody');
    await log.close();
    expect([(await linesOf(gone)).length, (await linesOf(executionId)).length]).toEqual([0, 1]);
  });
});
