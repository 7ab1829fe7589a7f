// The fuzz: made-up inputs at a service of its own, whose health, neighbour, memory and log are watched. See docs/chaos.md.
// stdout: the report; progress on stderr. Exit code 0 when nothing is wrong.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../chaos/arena.ts';
import { runAnswers } from './answers-run.ts';
import { Generator } from './generator.ts';
import { HighestMemory, residentMb } from './memory.ts';
import { type FuzzOptions, readOptions, USAGE, UsageError } from './options.ts';
import { type Findings, problemsOf, reportOf } from './report.ts';
import { longestTurnOf, trySuspects } from './suspects.ts';
import { type FuzzTarget, openTarget } from './target.ts';
import type { Memory } from './turns.ts';
import { Watcher } from './watcher.ts';

const QUIET_MS = 4_000;
const HEALTH_EVERY_MS = 20;
const NEIGHBOUR_EVERY_MS = 200;
const ENDED_WITHIN_MS = 120_000;
const IDLE_MS = 120_000;
const QUICK_IDLE_MS = 3_000;
const TIMES_ALONE = 3;
const COLLECTIONS = 4;
const COLLECT_EVERY_MS = 3_000;

const note = (text: string) => void process.stderr.write(`${text}\n`);
const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(options: FuzzOptions): Promise<boolean> {
  note(`seed ${options.seed}`);
  if (options.answers !== undefined) return await runAnswers({ ...options, answers: options.answers }, say);
  const folder = mkdtempSync(join(tmpdir(), 'dagwright-fuzz-'));
  const target = await openTarget(folder, options.seed);
  const closing = async () => {
    await target.close();
    process.exit(130);
  };
  process.once('SIGINT', closing).once('SIGTERM', closing);
  let isSound = false;
  try {
    isSound =
      options.input === undefined
        ? tell(await fuzz(target, options, folder))
        : await sendAlone(target, options.seed, options.input);
  } finally {
    await target.close();
    if (isSound) rmSync(folder, { recursive: true, force: true });
    else note(`the service's log is in ${folder}`);
  }
  return isSound;
}

async function fuzz(target: FuzzTarget, options: FuzzOptions, folder: string): Promise<Findings> {
  const { slot, turns } = target;
  const watcher = new Watcher(slot.url, [
    { name: 'healthz', path: '/healthz', everyMs: HEALTH_EVERY_MS, mostOpen: 500 },
    {
      name: 'neighbour',
      path: '/v1/executions?limit=20',
      key: target.neighbourKey,
      everyMs: NEIGHBOUR_EVERY_MS,
      mostOpen: 2,
    },
  ]);
  await delay(QUIET_MS);
  const quiet = await watcher.tell();
  const before = await turns.collectedMemory(slot.pid);
  await watcher.tell();
  const highest = new HighestMemory(() => slot.pid);
  const generator = new Generator(target, options.seed);
  const from = Date.now();
  await generator.sendFor(options.seconds, options.kinds);
  const asked = await watcher.tell();
  const during = turns.since(from);
  note('all is sent; what was long is tried alone');
  const suspects = await trySuspects(target, generator, during);
  highest.stop();
  const open = `select count(*)::int as n from dagwright.workflow_executions where status in ('pending', 'running') `;
  const count = async (sql: string) => (await target.query<{ n: number }>(sql))[0]!.n;
  await within(ENDED_WITHIN_MS, async () => (await count(open)) === 0);
  await delay(options.isQuick ? QUICK_IDLE_MS : IDLE_MS);
  const idleMb = residentMb(slot.pid);
  const after = await settledMemory(target, before.rss);
  await watcher.end();
  return {
    ...{
      seed: options.seed,
      isQuick: options.isQuick,
      journal: generator.journal,
      quiet,
      asked,
      turns: during,
      suspects,
    },
    memory: { before, highestMb: highest.mb, idleMb, after },
    restarts: slot.starts - 1,
    unaskedExits: target.services.unasked,
    complaints: target.services.complaints,
    errors: errorsIn(folder),
    recoveries: await count('select count(*)::int as n from dagwright.task_executions where recoveries > 0'),
    orphans: await count('select count(*)::int as n from dagwright.v_orphans'),
    stillOpen: await count(open),
  };
}

/** V8 gives pages back over several collections: the memory after the last of a few that are needed. */
async function settledMemory({ turns, slot }: FuzzTarget, beforeBytes: number): Promise<Memory> {
  let memory = await turns.collectedMemory(slot.pid);
  for (let tries = 0; tries < COLLECTIONS && memory.rss > beforeBytes; tries++) {
    await delay(COLLECT_EVERY_MS);
    memory = await turns.collectedMemory(slot.pid);
  }
  return memory;
}

function tell(found: Findings): boolean {
  const problems = problemsOf(found);
  say(reportOf(found));
  for (const problem of problems) say(`  ✘ ${problem}`);
  say(
    problems.length === 0
      ? 'nothing is wrong'
      : `repeat one with: npm run fuzz -- --seed ${found.seed} --input N`,
  );
  return problems.length === 0;
}

async function sendAlone(target: FuzzTarget, seed: number, n: number): Promise<boolean> {
  const generator = new Generator(target, seed);
  for (let time = 0; time < TIMES_ALONE; time++)
    say(
      `longest turn of the main loop: ${await longestTurnOf(target, generator, n)} ms; memory ${Math.round(residentMb(target.slot.pid))} MB`,
    );
  const { statuses, failures } = generator.journal;
  say(`answers: ${JSON.stringify(Object.fromEntries(statuses))}`);
  for (const failure of failures) say(`  ✘ ${failure}`);
  return failures.length === 0;
}

function errorsIn(folder: string): string[] {
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const lines = logs.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  // What is no line of the log is the last that a process said.
  return lines.filter((line) => line !== '' && (!line.startsWith('{') || line.includes('"level":"error"')));
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') say(USAGE);
  else process.exitCode = (await main(options)) ? 0 : 1;
} catch (error) {
  note(
    error instanceof UsageError ? `${error.message}\n\n${USAGE}` : String((error as Error).stack ?? error),
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
