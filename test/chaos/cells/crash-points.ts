// M3: the process dies at each named point around a task, for each task type. One execution for each point and type; a worker
// runs one attempt at a time, and dies at the first point that it comes to. What it left is taken over by the next.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRegistry } from '../../../src/tasks/registry.ts';
import type { Arena } from '../arena.ts';
import { within } from '../arena.ts';
import { type Cell, count } from '../cell.ts';
import { CHECKPOINT_POINTS, CRASH_POINTS, type CrashPoint, taskIdOf } from '../process-faults.ts';
import { applyDocument, type Workflow } from '../workload.ts';

interface SubCell {
  readonly point: CrashPoint;
  readonly type: string;
}

/** The target of each type, and the edge from it where that is not plain. */
const TARGETS: Readonly<
  Record<string, (provider: string, taskId: string) => { config: string; edge?: string }>
> = {
  model_inference: () => ({ config: 'modelId: simulated/fast, config: { prompt: Say something }' }),
  transformation: () => ({ config: 'config: { output: { n: "{{ input.n * 2 }}" } }' }),
  condition: () => ({ config: `config: { value: "'yes'" }`, edge: ', branch: "yes"' }),
  parallel: () => ({ config: 'config: { items: [1, 2, 3], maxConcurrency: 2, task: { taskType: call } }' }),
  aggregation: () => ({ config: 'config: { strategy: count, source: [1, 2, 3] }' }),
  external_api: (provider, taskId) => ({
    config: `config: { method: PUT, url: "${provider}/task/{{ execution.id }}/${taskId}/{{ task.attempt }}", body: {} }`,
  }),
  wait: () => ({ config: 'config: { seconds: 0.2 }' }),
  call: () => ({ config: 'config: {}' }),
  steps: () => ({ config: 'config: {}' }),
};
/** Types whose body calls the service itself: a crash after the call and before the commit makes it twice. */
const CALLING = ['external_api', 'call'];
const AFTER_THE_CALL: readonly CrashPoint[] = ['body-done', 'settle-unsent'];
const STARTED_AT_ONCE = 4;
const POINTS_LIMIT_MS = 180_000;

function subCells(): SubCell[] {
  const built = createRegistry();
  const types = Object.keys(TARGETS).filter(
    (type) => type !== 'steps' && (built.has(type) || type === 'call'),
  );
  return [
    ...types.flatMap((type) => CRASH_POINTS.map((point) => ({ point, type }))),
    ...CHECKPOINT_POINTS.map((point) => ({ point, type: 'steps' })),
  ];
}

function workflowOf({ point, type }: SubCell, provider: string): Workflow {
  const id = (place: 'before' | 'target' | 'after') => taskIdOf(place, point, type);
  const { config, edge = '' } = TARGETS[type]!(provider, id('target'));
  return {
    id: `${point}__${type}`,
    document: `
nodes:
  - { taskId: ${id('before')}, taskType: transformation, config: { output: 1 } }
  - { taskId: ${id('target')}, taskType: ${type}, dependsOn: [${id('before')}], ${config} }
  - { taskId: ${id('after')}, taskType: call, dependsOn: [{ taskId: ${id('target')}${edge} }] }
output: { total: "{{ tasks['${id('after')}'].output.value }}" }`,
    counted: () => [id('after')],
  };
}

const crashPoints: Cell = {
  id: 'M3',
  title: 'kill -9 at each named point, for each task type',
  async run(arena) {
    const all = subCells();
    const folder = join(arena.options.folder, 'crashed');
    mkdirSync(folder);
    for (const one of all) {
      const workflow = workflowOf(one, arena.provider.url);
      await applyDocument(arena.database, workflow.id, workflow.document);
      await arena.feed.start(workflow);
    }
    const missing = () => all.filter(({ point, type }) => !existsSync(join(folder, `${point}__${type}`)));
    await arrangeDeaths(arena, folder, () => missing().length === 0);
    const unreached = missing();
    // Those that are left have nothing to die of any more; others, without the preload's points, finish the work.
    await Promise.all(arena.workers.alive.map((worker) => arena.workers.drain(worker)));
    await arena.workers.startReady(2, arena.settings());
    return () => {
      const repeats = repeatsOf(arena, all);
      const types = new Set(all.map(({ type }) => type));
      return {
        figures: {
          'points reached': `${all.length - unreached.length} of ${all.length} (${types.size} task types)`,
          'calls made twice, as they must': String(repeats.expected),
          'calls made twice otherwise': String(repeats.unexpected.length),
          ...(types.has('external_api') ? {} : { 'not built yet': 'external_api' }),
        },
        bars: [
          count(
            `points not reached${unreached.map(({ point, type }) => ` ${point}/${type}`)}`,
            unreached.length,
          ),
          count(`calls made twice${repeats.unexpected.map((one) => ` ${one}`)}`, repeats.unexpected.length),
          count('calls not made twice where the result was lost', repeats.missing.length),
        ],
      };
    };
  },
};

// Workers with one slot each, replaced when they die, until every point was reached.
async function arrangeDeaths(arena: Arena, folder: string, isDone: () => boolean): Promise<void> {
  const settings = arena.settings({ concurrency: 1, preload: { crashFolder: folder } });
  for (let i = 0; i < STARTED_AT_ONCE; i++) arena.workers.start(settings);
  await within(POINTS_LIMIT_MS, isDone);
  await delay(50);
}

// How often each target's own call was made, beside the one that counts.
function repeatsOf({ provider }: Arena, all: readonly SubCell[]) {
  const starts = new Map<string, number>();
  for (const { event, task } of provider.lines)
    if (event === 'start') starts.set(task, (starts.get(task) ?? 0) + 1);
  let expected = 0;
  const unexpected: string[] = [];
  const missing: string[] = [];
  for (const { point, type } of all) {
    for (const place of ['target', 'after'] as const) {
      const n = starts.get(taskIdOf(place, point, type)) ?? 0;
      if (type === 'parallel' || type === 'steps') continue;
      const mayRepeat = place === 'target' && CALLING.includes(type) && AFTER_THE_CALL.includes(point);
      if (mayRepeat && n === 2) expected++;
      else if (mayRepeat && n < 2) missing.push(`${point}/${type}`);
      else if (n > 1) unexpected.push(`${point}/${type}`);
    }
  }
  return { expected, unexpected, missing };
}

export const CRASH_POINT_CELLS = [crashPoints];
