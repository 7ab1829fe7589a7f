// A process that starts the demo's worker, says which it is, and waits to be killed.
import { startWorkerProcess } from '../../../src/cli/commands/demo/worker-process.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import type { System } from '../../../src/cli/system.ts';

const url = process.argv[2]!;
const io = { cwd: process.cwd(), environment: () => process.env };
const worker = await startWorkerProcess(
  { io } as CommandContext,
  { database: { url, directUrl: url } } as System,
);
process.stdout.write(`${worker.pid}\n`);
setInterval(() => {}, 60_000);
