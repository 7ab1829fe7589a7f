// The chaos run: faults under load, then healing, then nothing may be lost, doubled or stuck. See docs/chaos.md.
// stdout: a line per cell, or one JSON object with --json; progress on stderr. Exit code 0 when every cell passes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { type OwnPostgres, openOwnPostgres } from '../crash/support/own-postgres.ts';
import { Arena, type ArenaOptions } from './arena.ts';
import type { Cell, Outcome } from './cell.ts';
import { type ChaosOptions, readOptions, USAGE, UsageError } from './options.ts';
import { type CellReport, cellText, environmentOf, failuresOf, markdownTable } from './report.ts';
import { mountSmallDisk, moveLog } from './small-disk.ts';
import { hashOf } from './statistics.ts';
import { judge, type Verdict } from './verdict.ts';

const SECONDS = 300;
const QUICK_SECONDS = 10;
const TEMPLATE = 'dagwright';

/** What is open, and ends with this process however it ends. */
const open = new Set<{ close(): Promise<void> }>();

const note = (text: string) => void process.stderr.write(`${text}\n`);
const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(options: ChaosOptions): Promise<boolean> {
  note(`seed ${options.seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'dagwright-chaos-'));
  const shared = await openMigrated();
  const reports: CellReport[] = [];
  const waiting = [...options.cells];
  try {
    const lane = async () => {
      for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
        const reason = cell.skipped?.() ?? null;
        if (reason !== null) {
          note(`${cell.id} is left out: ${reason}`);
          continue;
        }
        const report = await runCell(cell, options, shared, join(folder, cell.id));
        reports.push(report);
        (options.isJson || options.isMarkdown ? note : say)(cellText(report, options.isQuick));
      }
    };
    await Promise.all(Array.from({ length: options.jobs }, lane));
  } finally {
    await closeAll([shared]);
  }
  const inOrder = options.cells.flatMap(({ id }) => reports.find((report) => report.id === id) ?? []);
  const failed = inOrder.filter((report) => failuresOf(report, options.isQuick).length > 0);
  const environment = environmentOf(options.seed);
  if (options.isJson)
    say(
      JSON.stringify({
        environment,
        cells: inOrder.map((report) => ({ ...report, failures: failuresOf(report, options.isQuick) })),
      }),
    );
  else if (options.isMarkdown) say(markdownTable(inOrder, options.isQuick));
  else
    say(`${inOrder.length - failed.length} of ${inOrder.length} cells pass; ${JSON.stringify(environment)}`);
  if (failed.length === 0) rmSync(folder, { recursive: true, force: true });
  else note(`the workers' logs and the ledgers are in ${folder}`);
  return failed.length === 0;
}

async function runCell(
  cell: Cell,
  options: ChaosOptions,
  shared: Server,
  folder: string,
): Promise<CellReport> {
  const startedAt = performance.now();
  const seconds = options.seconds ?? (options.isQuick ? (cell.quickSeconds ?? QUICK_SECONDS) : SECONDS);
  const disks = cell.hasSmallDisks ? await mountDisks() : undefined;
  const server = cell.hasOwnServer ? await openMigrated(disks) : undefined;
  const settings: ArenaOptions = {
    url: server === undefined ? await cloneDatabase(shared.url, cell.id.toLowerCase()) : server.url,
    seed: options.seed + hashOf(cell.id),
    isQuick: options.isQuick,
    ...{ folder, seconds, server, disks },
  };
  const arena = await Arena.open(settings);
  open.add(arena);
  const report = (outcome: Outcome, verdict: Verdict, error?: string): CellReport => ({
    ...{ id: cell.id, title: cell.title, seconds, outcome, verdict, error },
    tookMs: Math.round(performance.now() - startedAt),
    cpuShare: arena.cpuShare,
    complaints: { ...arena.workers.complaints, ...arena.services.complaints },
  });
  try {
    const measure = await cell.run(arena);
    const verdict = await judge(arena);
    return report(await measure(), verdict);
  } catch (error) {
    return report({ figures: {}, bars: [] }, NO_VERDICT, (error as Error).stack ?? String(error));
  } finally {
    await closeAll([
      arena,
      ...(server === undefined ? [] : [server]),
      ...(disks === undefined ? [] : [disks]),
    ]);
  }
}

const NO_VERDICT: Verdict = {
  convergedMs: null,
  slow: [],
  broken: {},
  counts: { acknowledged: 0, cancelled: 0, tasks: 0, recoveries: 0, extraStarts: 0, deadlocks: 0 },
};

type Server = OwnPostgres & { close(): Promise<void> };

async function openMigrated(disks?: Disks): Promise<Server> {
  const own = await openOwnPostgres(undefined, disks?.data.folder);
  const server: Server = Object.assign(own, { close: () => own.remove() });
  open.add(server);
  await migrateDatabase(server.url);
  if (disks === undefined) return server;
  await server.stop('fast');
  await moveLog(server.dataDir, disks.log);
  await server.start();
  return server;
}

type Disks = NonNullable<ArenaOptions['disks']> & { close(): Promise<void> };

async function mountDisks(): Promise<Disks> {
  const [data, log] = [await mountSmallDisk(), await mountSmallDisk()];
  const disks = { data, log, close: async () => void (await Promise.all([data.remove(), log.remove()])) };
  open.add(disks);
  return disks;
}

async function closeAll(things: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const thing of things) {
    open.delete(thing);
    await thing.close();
  }
}

let isInterrupted = false;
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, async () => {
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
    // Workers before the servers that they use.
    await closeAll([...open].reverse()).catch(() => {});
    process.exit(130);
  });

async function cloneDatabase(url: string, name: string): Promise<string> {
  const admin = new pg.Client({ connectionString: urlOf(url, 'postgres') });
  await admin.connect();
  try {
    await admin.query(`create database ${name} template ${TEMPLATE}`);
    return urlOf(url, name);
  } finally {
    await admin.end();
  }
}

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
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
