// Why a start is refused, from SQL and from the service: the same rules, for they are one function. Nothing is left behind.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type StartRequest, startExecutions } from '../../src/db/executions/execution-starts.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { insertTenant, updateTenant } from '../../src/db/resources/tenants.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
const tenants = new Map<string, string>();
const BY = { actor: 'test' };

beforeAll(async () => {
  service = await openService();
  for (const [name, tier] of [
    ['low', 1],
    ['high', 3],
    ['gone', 3],
  ] as const) {
    const made = await service.database.asEngine(BY, (client) =>
      insertTenant(client, { name, displayName: null, tier, settings: {} }),
    );
    tenants.set(name, made!.id);
    const nodes = [{ taskId: 'a', taskType: 'transformation', config: { output: 1 } }];
    const save = (workflowId: string, minTier?: number) =>
      applyDefinition(
        service.database,
        made!.id,
        { workflowId, nodes, ...(minTier === undefined ? {} : { minTier }) } as never,
        'test',
      );
    await save('plain');
    await save('dear', 3);
    await save('raised');
    await save('raised', 3);
    await save('lowered', 3);
    await save('lowered', 1);
    await save('archived');
    await save('draft');
    for (const status of ['archived', 'draft'])
      await service.query(
        'update dagwright.workflow_definitions set status = $3 where tenant_id = $1 and workflow_id = $2',
        [made!.id, status, status],
      );
  }
  await service.database.asEngine(BY, (client) =>
    updateTenant(client, { id: tenants.get('gone')! }, { status: 'suspended' }),
  );
});
afterAll(() => service.close());

const CASES = [
  ['low', { workflowId: 'plain' }, null],
  ['low', { workflowId: 'none' }, 'not_found'],
  ['low', { workflowId: 'plain', revision: 9 }, 'not_found'],
  ['low', { workflowId: 'archived' }, 'not_active'],
  ['low', { workflowId: 'draft' }, 'not_active'],
  ['low', { workflowId: 'dear' }, 'tier_too_low'],
  ['high', { workflowId: 'dear' }, null],
  // By the revision that would start, not by the latest.
  ['low', { workflowId: 'raised' }, 'tier_too_low'],
  ['low', { workflowId: 'raised', revision: 1 }, null],
  ['low', { workflowId: 'lowered' }, null],
  ['low', { workflowId: 'lowered', revision: 1 }, 'tier_too_low'],
  ['gone', { workflowId: 'plain' }, 'tenant_suspended'],
  ['gone', { workflowId: 'none' }, 'tenant_suspended'],
] as const satisfies readonly (readonly [string, Omit<StartRequest, 'triggerType'>, string | null])[];

const SQL_ERRORS: Record<string, RegExp> = {
  not_found: /^P0002 workflow ".+" does not exist/,
  not_active: /^55000 workflow ".+" is not active/,
  tier_too_low: /^55000 workflow ".+" needs a tenant of a higher tier/,
  tenant_suspended: /^55000 the tenant does not exist, or is suspended/,
};
const count = async () =>
  await service.query(
    `select (select count(*)::int from dagwright.workflow_executions) as executions,
       (select count(*)::int from dagwright.idempotency_keys) as keys, (select count(*)::int from dagwright.jobs_v1()) as jobs`,
  );

describe.for(CASES)('tenant %s starts %j: %s', ([name, request, problem]) => {
  test.for(['without a key', 'with a key'])('by the service, %s', async (how) => {
    const tenantId = tenants.get(name)!;
    const before = await count();
    const key = how === 'with a key' ? { idempotencyKey: newId() } : {};
    const ask = () =>
      startExecutions(service.database.engine, tenantId, [{ ...request, ...key, triggerType: 'api' }]);
    const [started] = await ask();
    expect(started).toMatchObject(problem === null ? { ok: true } : { ok: false, problem });
    if (problem !== null) expect(await count(), 'nothing is left').toEqual(before);
    if (how === 'with a key' && problem !== null) expect(await ask()).toEqual([started]);
  });

  test.skipIf('revision' in request)('from SQL', async () => {
    const before = await count();
    const told = await service.database
      .withTenant(tenants.get(name)!, (client) =>
        client.query('select dagwright.start_workflow($1) as id', [request.workflowId]),
      )
      .then(
        () => 'started',
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
    expect(told).toMatch(problem === null ? /^started$/ : SQL_ERRORS[problem]!);
    if (problem !== null) expect(await count()).toEqual(before);
  });
});

test('a repeated key finds its first execution also when nothing would start any more', async () => {
  const tenantId = tenants.get('high')!;
  const ask = () =>
    startExecutions(service.database.engine, tenantId, [
      { workflowId: 'dear', idempotencyKey: 'kept', triggerType: 'api' },
    ]);
  const [first] = await ask();
  for (const change of [{ tier: 1 }, { status: 'suspended' }] as const) {
    await service.database.asEngine(BY, (client) => updateTenant(client, { id: tenantId }, change));
    expect(await ask()).toEqual([{ ...first, existing: true }]);
  }
  await service.database.asEngine(BY, (client) =>
    updateTenant(client, { id: tenantId }, { tier: 3, status: 'active' }),
  );
});
