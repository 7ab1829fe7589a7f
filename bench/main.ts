// The benchmark: this engine, its peers, graphile-worker alone and the commit limit, side by side on one server, interleaved;
// or two checkouts of this project, in turn.
// stdout: a table, or one JSON object with --json; progress on stderr. Exit code 0 unless something fails: no number does.
// Nothing is left behind: the contenders' processes end with this one, and so do the throw-away servers.
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { assertNever } from '../src/core/errors.ts';
import { apiText, measureApi } from './api.ts';
import { describeCommit } from './checkout.ts';
import { CONTENDERS, type ContenderName, PEERS } from './contender.ts';
import { ContenderProcess } from './contender-process.ts';
import { drainText, measureDrain } from './drain.ts';
import { environmentOf } from './environment.ts';
import { addFinishedRows } from './finished-rows.ts';
import { latencyText, measureLatency } from './latency.ts';
import {
  type ApiOptions,
  type BenchOptions,
  type CompareOptions,
  type DrainOptions,
  type LatencyOptions,
  type PairsOptions,
  readOptions,
  USAGE,
  UsageError,
} from './options.ts';
import { comparePairs } from './pairs.ts';
import { pairsObject, pairsText } from './pairs-report.ts';
import { installPeers } from './peers.ts';
import { profileAll } from './profile.ts';
import { recordEntry } from './record.ts';
import { resultObject, resultText } from './report.ts';
import { runRounds } from './rounds.ts';
import { type BenchServer, openServer } from './server.ts';

type Processes = Partial<Readonly<Record<ContenderName, ContenderProcess>>>;

const note = (text: string) => void process.stderr.write(`${text}\n`);
const say = (text: string) => void process.stdout.write(`${text}\n`);

function main(options: BenchOptions, signal: AbortSignal): Promise<void> {
  switch (options.kind) {
    case 'compare':
      return compare(options, signal);
    case 'api':
      return measureService(options, signal);
    case 'latency':
      return measureStarts(options, signal);
    case 'drain':
      return drainBacklog(options, signal);
    case 'pairs':
      return compareCheckouts(options, signal);
    default:
      return assertNever(options);
  }
}

async function compare(options: CompareOptions, signal: AbortSignal): Promise<void> {
  const installed: readonly ContenderName[] = await installPeers({ note, signal });
  const isPeer = (name: ContenderName) => (PEERS as readonly ContenderName[]).includes(name);
  const contenders = CONTENDERS.filter((name) => !isPeer(name) || installed.includes(name));
  await withContenders(contenders, options, signal, async (server, processes) => {
    const { workloads, rounds, isQuick, finishedRows } = options;
    if (finishedRows > 0) {
      note(`Adding ${finishedRows} finished task rows`);
      await addFinishedRows(server.urls.dagwright, finishedRows);
      signal.throwIfAborted();
    }
    if (rounds > 0) {
      const results = await runRounds({ workloads, rounds, isQuick, processes, note });
      const environment = environmentOf(server, options, contenders);
      say(
        options.isJson
          ? JSON.stringify(resultObject(results, environment))
          : resultText(results, environment),
      );
      if (options.isRecording) {
        const commit = await describeCommit(fileURLToPath(new URL('../', import.meta.url)));
        await recordEntry({ at: new Date(), commit, args: process.argv.slice(2), results, environment });
      }
    }
    if (options.isProfiling) {
      const contender = processes.dagwright!;
      const text = await profileAll({ url: server.urls.dagwright, contender, workloads, isQuick });
      (options.isJson ? note : say)(`\n${text}`);
    }
  });
}

async function measureService(options: ApiOptions, signal: AbortSignal): Promise<void> {
  const { isQuick, isJson } = options;
  await withContenders(['dagwright'], options, signal, async (server, processes) => {
    const result = await measureApi({ server, engine: processes.dagwright!, isQuick, note, signal });
    say(isJson ? JSON.stringify(result) : apiText(result));
  });
}

async function measureStarts(options: LatencyOptions, signal: AbortSignal): Promise<void> {
  await withContenders([], options, signal, async (server) => {
    const result = await measureLatency({ ...options, server, note, signal });
    say(options.isJson ? JSON.stringify(result) : latencyText(result));
  });
}

async function drainBacklog(options: DrainOptions, signal: AbortSignal): Promise<void> {
  const { folder, isJson } = options;
  const root = folder === undefined ? new URL('../', import.meta.url) : pathToFileURL(`${resolve(folder)}/`);
  await withContenders([], options, signal, async (server) => {
    const results = await measureDrain({ ...options, root, server, note, signal });
    say(isJson ? JSON.stringify(results) : drainText(results));
  });
}

async function compareCheckouts(options: PairsOptions, signal: AbortSignal): Promise<void> {
  const comparison = await comparePairs({ ...options, note, signal });
  say(options.isJson ? JSON.stringify(pairsObject(comparison)) : pairsText(comparison));
}

async function withContenders(
  names: readonly ContenderName[],
  { databaseUrl }: { readonly databaseUrl: string | undefined },
  signal: AbortSignal,
  work: (server: BenchServer, processes: Processes) => Promise<void>,
): Promise<void> {
  const server = await openServer(databaseUrl, note);
  const processes: Processes = Object.fromEntries(
    names.map((name) => [
      name,
      new ContenderProcess({ name, url: server.urls[name], serverPid: server.pid }),
    ]),
  );
  const endAll = () => Promise.all(Object.values(processes).map((contender) => contender.end()));
  // A contender that ends makes the measurement under way fail, and with it everything.
  signal.addEventListener('abort', () => void endAll());
  try {
    signal.throwIfAborted();
    await work(server, processes);
  } finally {
    await endAll();
    await server.close();
  }
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    // The second time at once: the processes and the throw-away server end with their pipes to this one.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') say(USAGE);
  else await main(options, interrupt.signal);
} catch (error) {
  if (interrupt.signal.aborted) process.exitCode = 130;
  else {
    note(
      error instanceof UsageError ? `${error.message}\n\n${USAGE}` : String((error as Error).stack ?? error),
    );
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
