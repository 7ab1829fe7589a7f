import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/db/default-tenant.ts';
import { emitEvent, takeOpenEvents } from '../../src/db/events.ts';
import { createEventPass } from '../../src/triggers/events.ts';
import { saveWorkflow } from '../../src/triggers/file-triggers.ts';
import { createSecretBox } from '../../src/triggers/secret-box.ts';
import { createStarts } from '../../src/triggers/starts.ts';
import { definition, type Engine, openEngine } from '../support/engine.ts';

const log = { debug: () => {}, info: () => {}, warn: console.log, error: console.log };
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ idle: true, faults: false });
});
afterAll(() => engine.close());
const OTHER = '00000000-0000-7000-8000-0000000000cc';

test('heavy triggers', { timeout: 200_000 }, async () => {
  const source = { secretBox: createSecretBox(null), secrets: {} };
  for (let i = 0; i < 100; i++) {
    const made = definition([{ taskId: 'a', taskType: 'transformation', dependsOn: [], config: {} }], {
      triggers: [
        {
          type: 'event',
          event: 'heavy',
          when: "count($.event.payload.a[?@.x == 'nope' && @.y == 'nope' || @.z == 'q']) > 0 || count($.event.payload..x) > 1000000 || count($.event.payload..z) > 10000000",
        },
      ],
    });
    const saved = await saveWorkflow(
      engine.database,
      source,
      { tenantId: DEFAULT_TENANT_ID, actor: 'test' },
      made,
    );
    expect(saved).toMatchObject({ ok: true });
  }
  const payload = { a: Array.from({ length: 20_000 }, (_, i) => ({ x: i, y: i, z: 'a' })) };
  await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    emitEvent(client, { type: 'heavy', payload }),
  );
  const pass = createEventPass({
    database: engine.database,
    starts: createStarts({ database: engine.database, log }),
    log,
  });
  const at = performance.now();
  const result = await pass.run().catch((error: unknown) => `FAILED ${String(error)}`);
  console.log('heavy', result, Math.round(performance.now() - at), 'ms');
  console.log(await engine.query('select processed_at, executions_started, errors from dagwright.events'));
  await engine.query('delete from dagwright.events');
});
