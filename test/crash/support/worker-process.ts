// A worker process of the crash tests: the real engine, the tests' task type, log lines as JSON on stdout.
import type { TaskLog } from '../../../src/core/log-lines.ts';
import { openDatabase } from '../../../src/db/connection/connection.ts';
import type { OutsideSettings } from '../../../src/engine/services/outside.ts';
import { Worker } from '../../../src/engine/worker/worker.ts';
import { createRegistry } from '../../../src/tasks/registry.ts';
import { hostileTasks } from './hostile-tasks.ts';
import { ledgerTasks } from './ledger-tasks.ts';

export interface WorkerSettings {
  readonly url: string;
  readonly ledger: string;
  readonly concurrency: number;
  readonly leaseSeconds: number;
  readonly graceMs: number;
  /** Task types of the tests that it does not have. */
  readonly lacks?: readonly string[];
  readonly outside?: OutsideSettings;
  /** Of its JavaScript, at most; Node's own limit where absent. */
  readonly heapMb?: number;
}

const settings = JSON.parse(process.env.CRASH_WORKER ?? '') as WorkerSettings;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const level =
  (name: string): TaskLog['info'] =>
  (message, fields) =>
    say({ level: name, message, ...fields });
const log: TaskLog = { debug: () => {}, info: level('info'), warn: level('warn'), error: level('error') };

const database = openDatabase(settings.url, { max: 6, name: 'dagwright crash' });
const worker = new Worker({
  ...settings,
  database,
  types: createRegistry(
    [...ledgerTasks(settings.ledger), ...hostileTasks()].filter(
      ({ type }) => !settings.lacks?.includes(type),
    ),
  ),
  log,
});
process.once('SIGTERM', async () => {
  await worker.stop();
  await database.close();
  say({ message: 'ended' });
});
await worker.start();
say({ message: 'ready', workerId: worker.id });
