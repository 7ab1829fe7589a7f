// How the library starts an execution: by itself, or in a transaction of the caller.
import { createHash } from 'node:crypto';
import { DagwrightError, dagwrightError } from '../core/dagwright-error.ts';
import { canonicalJson, type Json, toStorableJson } from '../core/json.ts';
import type { Acting } from '../db/connection/connection.ts';
import { startBySql } from '../db/executions/sql-door.ts';
import type { Starts } from '../triggers/starts/starts.ts';
import { type Reached, translated } from './failure.ts';
import type { StartOptions } from './options.ts';
import { errorOfSql } from './sql-failure.ts';
import { optionProblems } from './start-options.ts';

export interface StartedRun {
  readonly id: string;
  readonly existing: boolean | null;
}

export async function startRun(
  starts: Starts,
  acting: Acting,
  { workflowId, input, ...options }: StartOptions & { readonly workflowId: string; readonly input: unknown },
  reached: Reached,
): Promise<StartedRun> {
  const problems = optionProblems(options);
  if (problems.length > 0) throw new DagwrightError('validation', problems);
  const { client, idempotencyKey, priority, metadata, revision, runAt } = options;
  const given = storable(input);
  if (client !== undefined) {
    const start = { workflowId, input: given, idempotencyKey, priority, metadata, runAt, revision };
    try {
      return { id: await startBySql(client, acting.tenantId, start), existing: null };
    } catch (error) {
      throw errorOfSql(error, reached);
    }
  }
  const asked = { input: given, priority, metadata, revision, runAt: runAt?.toISOString() };
  const request = {
    ...asked,
    workflowId,
    triggerType: 'api' as const,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey, requestHash: hashOf(asked) }),
  };
  const started = await translated(() => starts.start(acting, request), reached);
  if (!started.ok) throw new DagwrightError(started.code, started.problems);
  return { id: started.id, existing: started.existing };
}

// What JSON would lose is refused, not lost.
function storable(input: unknown): Json {
  const checked = toStorableJson(input ?? {});
  if (!checked.ok)
    throw dagwrightError(checked.code, `the input ${checked.message}`, {
      hint: 'plain JSON values, up to 1 MB',
    });
  return JSON.parse(checked.json) as Json;
}

function hashOf(asked: object): string {
  const plain = JSON.parse(JSON.stringify(asked)) as Json;
  return createHash('sha256').update(canonicalJson(plain)).digest('hex');
}
