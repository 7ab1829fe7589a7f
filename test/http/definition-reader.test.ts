// Large definitions cost a process of their own, not everybody's: bounded in time and heap, tenants in turn, the service goes on.
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { customTaskType } from '../../src/core/definition/task-type.ts';
import { checkText } from '../../src/http/request/check-text.ts';
import { createDefinitionReader, type DefinitionReader } from '../../src/http/request/definition-reader.ts';
import { ApiError } from '../../src/http/server/problem.ts';
import { depth, isFullDepth } from '../support/depth.ts';
import { patience } from '../support/patience.ts';
import { openService } from '../support/service.ts';

const yaml = { 'content-type': 'application/yaml' };
const hostile = (bytes: number) => `x: [${'{},'.repeat(bytes / 3)}1]`;
const flow = (nodes: number) =>
  `nodes:\n${Array.from({ length: nodes }, (_, i) => `  - taskId: t${i}\n    taskType: transformation\n    config: { output: ${i} }\n`).join('')}`;
const read = (reader: DefinitionReader, text: string, tenantId: string) =>
  reader.check({ text, format: 'yaml' }, tenantId, { workflowId: 'w', taskTypes: [] });
const codes = async (checking: ReturnType<DefinitionReader['check']>) => {
  try {
    return (await checking).kind;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 503) throw error;
    return error.errors?.map(({ code, message }) => `${code}: ${message}`);
  }
};

test('YAML beyond what is short is saved as the same JSON is', async () => {
  await using service = await openService();
  const text = flow(1_500);
  expect(text.length).toBeGreaterThan(64 * 1024);
  const json = {
    nodes: Array.from({ length: 1_500 }, (_, i) => ({
      taskId: `t${i}`,
      taskType: 'transformation',
      config: { output: i },
    })),
  };
  const path = '/v1/workflows/large';
  expect((await service.call('PUT', path, { body: text, headers: yaml })).status).toBe(201);
  expect((await service.call('PUT', path, { body: json })).body).toMatchObject({ outcome: 'unchanged' });
  const broken = await service.call('PUT', path, { body: `${text}  - [`, headers: yaml });
  expect(broken).toMatchObject({ status: 400, body: { code: 'not_yaml' } });
  expect(broken.body.detail).toContain('line 4502');
});

// It stands for its whole deadline.
test.runIf(isFullDepth)(
  'a hostile YAML body is refused, and others are served meanwhile',
  { timeout: 180_000 },
  async () => {
    await using service = await openService({ listen: true });
    const body = hostile(9_000_000);
    let isOver = false;
    const put = service.call('PUT', '/v1/workflows/hostile', { body, headers: yaml }).finally(() => {
      isOver = true;
    });
    let slowestMs = 0;
    let served = 0;
    while (!isOver) {
      const before = performance.now();
      expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - before);
      served += 1;
      await pause(20);
    }
    expect(await put).toMatchObject({
      status: 422,
      body: { code: 'validation', errors: [{ code: 'too_complex' }] },
    });
    expect(served).toBeGreaterThan(20);
    // The parser stands still for as long as it parses: a minute where it runs on this thread.
    expect(slowestMs).toBeLessThan(patience(10_000));
    expect(service.logged).toEqual([]);
  },
);

test('reading ends at its deadline, and at the limit of its heap', async () => {
  const slow = createDefinitionReader({ deadlineMs: 300 });
  expect(await codes(read(slow, hostile(3_000_000), 'a'))).toEqual([
    'too_complex: reading this YAML takes longer than 0.3 s',
  ]);
  const small = createDefinitionReader({ heapMb: 32, deadlineMs: 50_000 });
  expect(await codes(read(small, hostile(3_000_000), 'a'))).toEqual([
    'too_complex: reading this YAML needs more than 32 MB',
  ]);
  expect(await codes(read(small, flow(300), 'a'))).toBe('valid');
});

test('tenants take turns, and who sends too much at once is told to wait', async () => {
  const reader = createDefinitionReader({ deadlineMs: 300 });
  const order: string[] = [];
  const send = (name: string) =>
    codes(read(reader, hostile(3_000_000), name[0]!)).then(
      () => void order.push(name),
      ({ status, code }) => void order.push(`${name} ${status} ${code}`),
    );
  await Promise.all(['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2'].map(send));
  expect(order).toEqual(['a5 503 busy', 'a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
});

test('a large definition in JSON is checked as a small one is, and others are served meanwhile', {
  timeout: 120_000,
}, async () => {
  await using service = await openService({ listen: true });
  const nodes = Array.from({ length: depth(10_000) }, (_, i) => ({
    taskId: `t${i}`,
    taskType: 'transformation',
    dependsOn: Array.from({ length: Math.min(i, 10) }, (_, k) => `t${i - 1 - k}`),
    config: { output: i === 0 ? 1 : `{{ tasks.t${i - 1}.output }}` },
  }));
  const text = JSON.stringify({ nodes });
  let isOver = false;
  const put = service.call('PUT', '/v1/workflows/wide', { body: { nodes } }).finally(() => {
    isOver = true;
  });
  const waits: number[] = [];
  while (!isOver) {
    const before = performance.now();
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    waits.push(performance.now() - before);
    await pause(20);
  }
  expect((await put).status).toBe(201);
  // Checked on this thread it stands still for a second, and several on a loaded machine; the request is made and sent here too.
  expect(Math.max(...waits)).toBeLessThan(patience(6_000));
  const reader = createDefinitionReader();
  const checked = await reader.check({ text, format: 'json' }, 'a', {
    workflowId: 'wide',
    taskTypes: [],
    explain: true,
  });
  expect(checked).toEqual(
    checkText({ text, format: 'json', workflowId: 'wide', taskTypes: [], explain: true }),
  );
  const broken = {
    workflowId: 'wide',
    nodes: nodes.map((node, i) => (i === nodes.length - 1 ? { ...node, taskType: 'none' } : node)),
  };
  expect(await service.call('POST', '/v1/workflows/validate', { body: broken })).toMatchObject({
    status: 200,
    body: { valid: false, errors: [{ pointer: `/nodes/${nodes.length - 1}/taskType` }] },
  });
});

test('types of this installation are known to it', async () => {
  const taskTypes = [customTaskType('own.type', { configSchema: { type: 'object', required: ['q'] } })];
  const reader = createDefinitionReader();
  const nodes = Array.from({ length: depth(3_000) }, (_, i) => ({
    taskId: `t${i}`,
    taskType: 'own.type',
    config: {},
  }));
  const text = JSON.stringify({ workflowId: 'w', nodes });
  const checked = await reader.check({ text, format: 'json' }, 'a', { taskTypes });
  expect(checked.kind === 'invalid' && checked.problems[0]).toMatchObject({ pointer: '/nodes/0/config/q' });
});

test('a short definition with much to compile is checked in a process too, and so is one with costly patterns', async () => {
  const schemas = (count: number) =>
    JSON.stringify({
      workflowId: 'w',
      nodes: Array.from({ length: count }, (_, i) => ({
        taskId: `t${i}`,
        taskType: 'model_inference',
        modelId: 'simulated/fast',
        config: {
          prompt: 'x',
          responseSchema: { type: 'object', properties: { [`p${i}`]: { type: 'string', maxLength: i } } },
        },
      })),
    });
  const patterns = JSON.stringify({
    workflowId: 'w',
    nodes: [{ taskId: 't', taskType: 'transformation', config: { output: 1 } }],
    inputSchema: {
      allOf: Array.from({ length: 40 }, (_, i) => ({
        pattern: `^([a-z]{${i + 1},300}|[0-9]{${i + 1},300})$`,
      })),
    },
  });
  // A process has no time here.
  const reader = createDefinitionReader({ deadlineMs: 1 });
  const check = (text: string) => codes(reader.check({ text, format: 'json' }, 'a', { taskTypes: [] }));
  const inProcess = ['too_complex: checking this definition takes longer than 0.001 s'];
  expect(schemas(300).length).toBeLessThan(64 * 1024);
  expect(await check(schemas(30))).toBe('valid');
  expect(await check(schemas(300))).toEqual(inProcess);
  expect(await check(patterns)).toEqual(inProcess);
  const given = { text: schemas(300), format: 'json', taskTypes: [] } as const;
  const checked = await createDefinitionReader().check(given, 'a', given);
  expect(checked.kind).toBe('valid');
  expect(checked).toEqual(checkText(given));
});
