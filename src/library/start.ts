// How the library starts an execution: by itself, or in a transaction of the caller.
import { createHash } from 'node:crypto';
import { canonicalJson, type Json, toStorableJson } from '../core/json.ts';
import type { Acting } from '../db/connection/connection.ts';
import { startBySql } from '../db/executions/sql-door.ts';
import type { Starts } from '../triggers/starts/starts.ts';
import { DagwrightError, libraryError } from './dagwright-error.ts';
import type { StartOptions } from './options.ts';

export interface StartedRun {
  readonly id: string;
  readonly existing: boolean | null;
}

export async function startRun(
  starts: Starts,
  acting: Acting,
  { workflowId, input, ...options }: StartOptions & { readonly workflowId: string; readonly input: unknown },
): Promise<StartedRun> {
  const { client, idempotencyKey, priority, metadata, revision } = options;
  const given = storable(input);
  if (client !== undefined) {
    if (options.runAt !== undefined || revision !== undefined)
      throw libraryError(
        'not_supported',
        'runAt and revision are not for starts in a transaction of your own',
      );
    const start = { workflowId, input: given, idempotencyKey, priority, metadata };
    return { id: await startBySql(client, acting.tenantId, start), existing: null };
  }
  const asked = { input: given, priority, metadata, revision, runAt: options.runAt?.toISOString() };
  const started = await starts.start(acting, {
    ...asked,
    workflowId,
    triggerType: 'api',
    ...(idempotencyKey === undefined ? {} : { idempotencyKey, requestHash: hashOf(asked) }),
  });
  if (!started.ok) throw new DagwrightError(started.code, started.problems);
  return { id: started.id, existing: started.existing };
}

// What JSON would lose is refused, not lost.
function storable(input: unknown): Json {
  const checked = toStorableJson(input ?? {});
  if (!checked.ok) throw libraryError(checked.code, `the input ${checked.message}`);
  return JSON.parse(checked.json) as Json;
}

function hashOf(asked: object): string {
  const plain = JSON.parse(JSON.stringify(asked)) as Json;
  return createHash('sha256').update(canonicalJson(plain)).digest('hex');
}
