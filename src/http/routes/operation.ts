// What operators and their probes ask for: /healthz, /readyz, /metrics. Without a key; no answer names a tenant.
import { Type } from 'typebox';
import { askDatabase } from '../../db/operations/engine-numbers.ts';
import { pendingMigrations } from '../../db/operations/migrate.ts';
import { SharedAnswer } from '../process/shared-answer.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { unavailable } from '../server/problem.ts';

const Fine = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });

export function addOperationRoutes(api: Api, service: ApiContext): void {
  const { health, metrics } = service;
  // Once it is up to date it stays so for this build, and a connection of the pool will do to ask.
  let isMigrated = false;
  // Anybody may ask, as often as he likes: the database is asked once at a time.
  const migrationsLeft = new SharedAnswer(async () => {
    if (isMigrated) await askDatabase(service.database.engine);
    const pending = isMigrated ? 0 : await pendingMigrations(service.database.directUrl);
    isMigrated = pending === 0;
    return pending;
  });
  api.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operation'],
        summary: 'Whether this process makes progress',
        description: '503 names the loop that stands still: the process should be restarted.',
        response: { 200: Fine },
      },
    },
    async () => {
      const problems = health.problems();
      if (problems.length > 0) throw unavailable(problems.join('; '), 'unhealthy');
      return { status: 'ok' };
    },
  );
  api.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operation'],
        summary: 'Whether this process may be given work',
        description: '503 while the database is away, or migrations are pending.',
        response: { 200: Fine },
      },
    },
    async () => {
      if (health.draining.aborted) throw unavailable('the process is about to end', 'draining');
      const pending = await migrationsLeft.get();
      if (pending > 0)
        throw unavailable(`the database lacks ${pending} migration(s)`, 'migrations_pending', 5);
      return { status: 'ok' };
    },
  );
  api.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operation'],
        summary: 'Numbers for Prometheus',
        description: 'The text format of Prometheus.',
        response: {
          200: { description: 'The numbers.', content: { 'text/plain': { schema: Type.String() } } },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  );
}
