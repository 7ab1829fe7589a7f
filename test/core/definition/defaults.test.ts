import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withDefaults } from '../../../src/core/definition/reading/defaults.ts';
import { definitionSchema } from '../../../src/core/definition/schema/document.ts';
import type { Json } from '../../../src/core/json.ts';
import { depth } from '../../support/depth.ts';
import { type Doc, hintsOf, problemsOf, task, typed, valid, workflow } from './documents.ts';

const url = 'https://a.example';
const effective = (node: Doc, defaults: Doc) =>
  valid(workflow([node], { defaults })).plan.nodes[0]?.definition;
const configOf = (taskType: string, config: Doc, defaults: Doc) =>
  effective(typed('a', taskType, config), { [taskType]: { config: defaults } })?.config;

describe('what a task has', () => {
  test('is its own word, else that of its type, else that of all', () => {
    const defaults = {
      '*': { timeoutSeconds: 1, serviceId: 'all', retry: { maxAttempts: 2 } },
      transformation: { timeoutSeconds: 2, retry: { maxAttempts: 3 } },
    };
    expect(effective(task('a', [], { retry: { jitter: 'none' } }), defaults)).toMatchObject({
      serviceId: 'all',
      timeoutSeconds: 2,
      retry: { jitter: 'none' },
    });
  });

  test.each<[string, string, Doc, Doc, Doc]>([
    [
      'members of objects, at every depth',
      'external_api',
      { url, headers: { b: '2', c: '3' } },
      { headers: { a: '1', b: '1' }, maxResponseBytes: 9 },
      { url, headers: { a: '1', b: '2', c: '3' }, maxResponseBytes: 9 },
    ],
    [
      'no part of a list',
      'external_api',
      { url, expectedStatus: [200] },
      { expectedStatus: [404] },
      { url, expectedStatus: [200] },
    ],
    [
      'no part of what is one of several',
      'external_api',
      { url, auth: { bearer: { token: '{{ secrets.T }}' } } },
      { auth: { basic: { username: 'u', password: '{{ secrets.P }}' } } },
      { url, auth: { bearer: { token: '{{ secrets.T }}' } } },
    ],
    [
      'no part of a schema',
      'model_inference',
      { prompt: 'x', responseSchema: { type: 'object' } },
      { responseSchema: { properties: { a: {} } } },
      { prompt: 'x', responseSchema: { type: 'object' } },
    ],
    [
      'nothing that excludes what it says',
      'wait',
      { until: '2030-01-01T00:00:00Z' },
      { seconds: 5 },
      { until: '2030-01-01T00:00:00Z' },
    ],
    [
      'no other branches than it names',
      'parallel',
      { branches: { a: { taskType: 'fail', config: {} } } },
      { items: [1], task: { taskType: 'fail', config: {} }, maxConcurrency: 2 },
      { branches: { a: { taskType: 'fail', config: {} } }, maxConcurrency: 2 },
    ],
  ])('of the config of its type: %s', (_title, taskType, config, defaults, expected) => {
    const more = taskType === 'model_inference' ? { modelId: 'simulated/x' } : {};
    const nodes = [typed('a', taskType, config, more)];
    const { plan } = valid(workflow(nodes, { defaults: { [taskType]: { config: defaults } } }));
    expect(plan.nodes[0]?.definition.config).toEqual(expected);
  });

  test('a layer of all is merged under the one of the type', () => {
    const defaults = {
      '*': { config: { headers: { a: '1', b: '1' } } },
      external_api: { config: { headers: { b: '2' } } },
    };
    const node = typed('a', 'external_api', { url, headers: { c: '3' } });
    expect(effective(node, defaults)?.config.headers).toEqual({ a: '1', b: '2', c: '3' });
  });

  test('parts of a parallel have them too', () => {
    const part = { taskType: 'external_api', config: { url, headers: { b: '2' } } };
    expect(
      effective(typed('p', 'parallel', { branches: { x: part } }), {
        external_api: { timeoutSeconds: 7, config: { headers: { a: '1' } } },
      })?.config.branches,
    ).toEqual({ x: { ...part, timeoutSeconds: 7, config: { url, headers: { a: '1', b: '2' } } } });
  });

  test('the stored document keeps what its author wrote', () => {
    expect(configOf('external_api', { url }, { headers: { a: '1' } })).toEqual({ url, headers: { a: '1' } });
    const { definition } = valid(
      workflow([typed('a', 'external_api', { url })], {
        defaults: { external_api: { config: { headers: { a: '1' } } } },
      }),
    );
    expect(definition.nodes[0]?.config).toEqual({ url });
  });
});

test('names of other products are taken there as on a node', () => {
  const defaults = {
    http_request: { timeout_seconds: 5, retry: [{ max_attempts: 2 }], config: { expected_status: [200] } },
  };
  const { definition, plan } = valid(workflow([typed('a', 'external_api', { url })], { defaults }));
  const stored = { timeoutSeconds: 5, retry: [{ maxAttempts: 2 }], config: { expectedStatus: [200] } };
  expect(definition.defaults).toEqual({ external_api: stored });
  expect(plan.nodes[0]?.definition).toMatchObject({ ...stored, config: { url, expectedStatus: [200] } });
});

test('editors know the fields of each type there', () => {
  const { properties } = definitionSchema() as { properties: { defaults: { properties: Doc } } };
  const api = properties.defaults.properties.external_api as { properties: { config: Doc } };
  expect(api.properties.config).toMatchObject({ properties: { headers: {} }, additionalProperties: false });
  expect(api.properties.config).not.toHaveProperty('required');
});

test('filling them in twice is filling them in once', () => {
  const values = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Json>(1, 'a', null, ['x']),
      fc.dictionary(fc.constantFrom('a', 'b', 'type', 'headers'), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const config = fc.dictionary(fc.constantFrom('headers', 'body', 'url', 'auth', 'seconds', 'until'), values);
  const layers = fc.dictionary(
    fc.constantFrom('*', 'external_api', 'wait'),
    fc.record({ config, timeoutSeconds: fc.nat() }),
  );
  fc.assert(
    fc.property(config, layers, fc.constantFrom('external_api', 'wait'), (own, defaults, taskType) => {
      const nodes = [{ taskId: 'a', taskType, dependsOn: [], config: own }];
      const once = withDefaults({ workflowId: 'w', nodes, defaults });
      expect(withDefaults(once)).toEqual(once);
      for (const [name, value] of Object.entries(own))
        if (typeof value !== 'object') expect(once.nodes[0]?.config[name]).toBe(value);
    }),
    { numRuns: depth(200) },
  );
});

describe('what is wrong with them', () => {
  test('an unknown type has the nearest name as its hint', () => {
    expect(hintsOf(workflow([task('a')], { defaults: { external_ap: {} } }))).toEqual([
      ['/defaults/external_ap', 'did you mean "external_api"?'],
    ]);
  });

  test('a field that the type does not have is told, whether or not a task is of it', () => {
    const defaults = { external_api: { config: { header: {} } } };
    const expected = [['/defaults/external_api/config/header', 'did you mean "headers"?']];
    expect(hintsOf(workflow([task('a')], { defaults }))).toEqual(expected);
    expect(hintsOf(workflow([typed('a', 'external_api', { url })], { defaults }))).toEqual(expected);
  });

  test('a problem within an object that is merged points at the default that brings it', () => {
    const node = typed('a', 'external_api', { url, callback: { timeoutSeconds: 5 } });
    const defaults = { external_api: { config: { callback: { heartbeatSeconds: 'x' } } } };
    expect(problemsOf(workflow([node], { defaults }))).toEqual([
      '/defaults/external_api/config/callback/heartbeatSeconds type',
    ]);
  });

  test('so does one within the part of a parallel', () => {
    const part = { taskType: 'external_api', config: { url } };
    const nodes = [typed('p', 'parallel', { branches: { x: part } })];
    const defaults = { external_api: { config: { maxResponseBytes: 'x' } } };
    expect(problemsOf(workflow(nodes, { defaults }))).toEqual([
      '/defaults/external_api/config/maxResponseBytes type',
    ]);
  });

  test('more values than may be filled into all tasks together are refused, and not filled in', () => {
    const nodes = Array.from({ length: 300 }, (_, i) => typed(`t${i}`, 'external_api', { url, body: {} }));
    const body = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]));
    expect(problemsOf(workflow(nodes, { defaults: { external_api: { config: { body } } } }))).toEqual([
      '/defaults/external_api/config too_large',
    ]);
  });
});
