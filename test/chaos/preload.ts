// Loaded into every worker process (and its heartbeat thread) before the engine, by `node --import`. Wraps `pg` and the
// built-in task types, so that calls fail as they do in the field and the process ends at named points; src/ knows nothing.
import { appendFileSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createRegistry } from '../../src/tasks/registry.ts';
import type { PreparedTask, TaskContext, TaskType } from '../../src/tasks/task-type.ts';
import type { CrashPoint, ProcessFaults } from './process-faults.ts';
import { Chance } from './statistics.ts';
import * as tasks from './tasks.ts';

const faults = JSON.parse(process.env.CHAOS_FAULTS ?? 'null') as ProcessFaults | null;
if (faults !== null) {
  wrapPool(faults);
  wrapClient(faults);
  if (faults.crashFolder !== undefined) wrapTypes(faults.crashFolder);
}

type Query = { readonly name?: string; readonly text: string };
type Answer = Promise<unknown>;
// The parts of pg's client that this touches.
type Client = Pick<pg.Client, 'once'> & {
  readonly connection: { stream: { destroy(): void } };
  readonly _ended: boolean;
  readonly connectionParameters: { application_name?: string };
  isInTransaction?: boolean;
  crashAfterCommit?: string;
};

function wrapPool({ poolMax }: ProcessFaults): void {
  if (poolMax === undefined) return;
  const Pool = pg.Pool;
  pg.Pool = class extends Pool {
    constructor(config: pg.PoolConfig) {
      super(config.application_name === 'dagwright' ? { ...config, max: poolMax } : config);
    }
  } as typeof pg.Pool;
}

function wrapClient(spec: ProcessFaults): void {
  const chance = new Chance(spec.seed + process.pid);
  let isOn = existsSync(spec.switchFile);
  setInterval(() => {
    isOn = existsSync(spec.switchFile);
  }, 50).unref();
  const note = (kind: string, { name, text }: Query) =>
    appendFileSync(`${spec.switchFile}.log`, `${kind} ${name ?? text.slice(0, 40).replaceAll('\n', ' ')}\n`);
  const send = pg.Client.prototype.query as unknown as (...args: unknown[]) => Answer;

  const faulty = (client: Client, query: Query, args: readonly unknown[]): Answer | null => {
    const isEnd = /^\s*(commit|end)\b/i.test(query.text);
    const isControl = /^\s*(begin|rollback|listen|unlisten|set )/i.test(query.text);
    const wasInTransaction = client.isInTransaction === true;
    if (/^\s*begin\b/i.test(query.text)) client.isInTransaction = true;
    if (isEnd || /^\s*rollback\b/i.test(query.text)) client.isInTransaction = false;
    if (spec.crashFolder !== undefined) {
      const crashing = crashAround(client, query, args, wasInTransaction, isEnd, send, spec.crashFolder);
      if (crashing !== null) return crashing;
    }
    if (!isOn || isControl) return null;
    const drawn = chance.next();
    const { lostAnswers = 0, lostCalls = 0, conflicts = 0 } = spec;
    if (drawn < lostAnswers) {
      if (wasInTransaction && !isEnd) return null;
      note('answer lost:', query);
      return send.apply(client, [...args]).then(() => loseConnection(client));
    }
    if (drawn < lostAnswers + lostCalls) {
      note('call lost:', query);
      return loseConnection(client);
    }
    // graphile's own statements cannot conflict: they skip what is locked.
    const isEngine = client.connectionParameters.application_name === 'dagwright';
    if (isEngine && !isEnd && drawn < lostAnswers + lostCalls + conflicts) {
      const code = chance.pick(['40001', '40P01']);
      note(`conflict ${code}:`, query);
      return send.call(client, `do $$ begin raise exception 'injected' using errcode = '${code}'; end $$`);
    }
    return null;
  };

  pg.Client.prototype.query = function (this: Client, ...args: unknown[]) {
    const [config] = args;
    const query = typeof config === 'string' ? { text: config } : (config as Query);
    if (typeof query?.text !== 'string') return send.apply(this, args);
    const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
    const answer = faulty(this, query, args);
    if (answer === null)
      return send.apply(this, callback === undefined ? args : [...args, callback]) as never;
    if (callback === undefined) return answer as never;
    const answerTo = callback as (error: unknown, result?: unknown) => void;
    answer.then(
      (result) => answerTo(undefined, result),
      (error) => answerTo(error),
    );
  } as never;
}

// As pg does it: a client knows that it has ended before its calls fail.
function loseConnection(client: Client): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error('Connection terminated unexpectedly'));
    if (client._ended) return fail();
    client.once('end', fail);
    client.connection.stream.destroy();
  });
}

// Ends the process once for each name: the file is made by the first to come.
function crash(folder: string, name: string): void {
  try {
    openSync(join(folder, name), 'wx');
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
}

// `place__point__type` wherever it stands in a statement.
const PLACE = /(before|target|after)__([a-z-]+)__([a-z_]+)/g;

// The points that are moments of the traffic with the database.
function crashAround(
  client: Client,
  { name = '' }: Query,
  args: readonly unknown[],
  isInTransaction: boolean,
  isEnd: boolean,
  send: (...args: unknown[]) => Answer,
  folder: string,
): Answer | null {
  if (isEnd && client.crashAfterCommit !== undefined) {
    const point = client.crashAfterCommit;
    return send.apply(client, [...args]).then((result) => {
      crash(folder, point);
      return result;
    });
  }
  if (!/^(settle|checkpoint)/.test(name)) return null;
  const named = [...JSON.stringify(args).matchAll(PLACE)].map(([, place, point, type]) => ({
    place,
    point,
    type,
  }));
  let committing: string | undefined;
  for (const { place, point, type } of named) {
    const file = `${point}__${type}`;
    // A settle names its own task and the children; the parent's settle is what claims the target.
    const isOwn = place === 'target' && !named.some((other) => other.place === 'before');
    const isClaim = place === 'before';
    const isCheckpoint = name.startsWith('checkpoint');
    if ((isClaim && point === 'claim-unsent') || (isOwn && !isCheckpoint && point === 'settle-unsent'))
      crash(folder, file);
    if (isCheckpoint && point === 'checkpoint-unsent') crash(folder, file);
    if (
      (isClaim && point === 'claim-committed') ||
      (isOwn && !isCheckpoint && point === 'settle-committed') ||
      (isCheckpoint && point === 'checkpoint-committed')
    )
      committing = file;
  }
  if (committing === undefined) return null;
  if (isInTransaction) {
    client.crashAfterCommit = committing;
    return null;
  }
  const file = committing;
  return send.apply(client, [...args]).then((result) => {
    crash(folder, file);
    return result;
  });
}

// The points that are moments of a task's body.
function wrapTypes(folder: string): void {
  const at = ({ taskId, mapIndex }: TaskContext, place: string, point: CrashPoint) => {
    const [ownPlace, ownPoint, type] = taskId.split('__');
    if (mapIndex === null && ownPlace === place && ownPoint === point) crash(folder, `${point}__${type}`);
  };
  const wrap = (prepared: PreparedTask): PreparedTask => ({
    mappings: prepared.mappings,
    run(context) {
      at(context, 'target', 'body-entered');
      at(context, 'after', 'next-entered');
      const outcome = prepared.run(context);
      if (!(outcome instanceof Promise)) {
        at(context, 'target', 'body-done');
        return outcome;
      }
      return outcome.then((value) => {
        at(context, 'target', 'body-done');
        return value;
      });
    },
  });
  for (const type of [...createRegistry().values(), ...Object.values(tasks)]) {
    const prepare = type.prepare.bind(type);
    (type as { prepare: TaskType['prepare'] }).prepare = (node, types) => wrap(prepare(node, types));
  }
}
