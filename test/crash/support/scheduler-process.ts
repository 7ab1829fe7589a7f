// A scheduler process of the crash tests, whose clock is wrong by as much as the test says.
interface SchedulerSettings {
  readonly url: string;
  readonly clockOffsetMs: number;
}

const { url, clockOffsetMs } = JSON.parse(process.env.CRASH_SCHEDULER ?? '') as SchedulerSettings;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(RealDate.now() + clockOffsetMs);
    else super(...(args as [number]));
  }
  static override now(): number {
    return RealDate.now() + clockOffsetMs;
  }
} as DateConstructor;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const { openDatabase } = await import('../../../src/db/connection/connection.ts');
const { Scheduler } = await import('../../../src/triggers/scheduler.ts');
const database = openDatabase(url, { max: 3, name: 'dagwright scheduler' });
const scheduler = new Scheduler({
  database,
  everyMs: 200,
  log: {
    debug: () => {},
    info: (message, fields) => say({ level: 'info', message, ...fields }),
    warn: (message, fields) => say({ level: 'warn', message, ...fields }),
    error: (message, fields) => say({ level: 'error', message, ...fields }),
  },
});
scheduler.start();
say({ message: 'ready', id: scheduler.id });
process.once('SIGTERM', async () => {
  await scheduler.stop();
  await database.close();
});
