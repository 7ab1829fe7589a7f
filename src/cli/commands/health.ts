// dagwright health: whether the worker of this machine (or container) beats. For HEALTHCHECK and probes, until there is
// a /healthz: one connection, one question.
import { hostname } from 'node:os';
import { openProbe } from '../../db/doctor.ts';
import { readWorkers } from '../../db/doctor-engine.ts';
import { embeddedStatus } from '../../db/embedded/server.ts';
import type { CommandContext } from '../context.ts';
import { passwordsOf, reasonOf, withoutSecrets } from '../doctor/check.ts';
import { formatDuration } from '../terminal.ts';

/** Three beats. */
const SILENT_MS = 10_000;

interface Health {
  readonly healthy: boolean;
  readonly message: string;
}

/**
 * Exit code 0 if a worker of this host, whose process lives, has beaten within 10 s by the database's clock. With `live`, a
 * database that does not answer is no fault of the worker: restarting it would not help.
 */
export async function health(context: CommandContext, options: { readonly live?: boolean }): Promise<number> {
  const { healthy, message } = await findHealth(context, options.live === true);
  context.printJson({ healthy, message });
  if (healthy) context.say(message);
  else if (!context.isJson) context.note(message);
  return healthy ? 0 : 1;
}

async function findHealth({ config }: CommandContext, live: boolean): Promise<Health> {
  const url = config.databaseUrl ?? (await embeddedStatus(config.home)).url;
  if (url === undefined) return { healthy: false, message: 'DATABASE_URL is not set' };
  try {
    const client = await openProbe(url, { name: 'dagwright health', timeoutMs: 3_000 });
    try {
      return judge(await readWorkers(client, hostname()));
    } finally {
      await client.end().catch(() => {});
    }
  } catch (error) {
    const reason = withoutSecrets(reasonOf(error), passwordsOf([url]));
    return { healthy: live, message: `the database does not answer: ${reason}` };
  }
}

function judge(workers: Awaited<ReturnType<typeof readWorkers>>): Health {
  const here = workers.filter(({ pid }) => isAlive(pid));
  const last = here.at(-1);
  if (last === undefined)
    return { healthy: false, message: `no worker of ${hostname()} is registered, or its process has ended` };
  const text = `worker ${last.id} (process ${last.pid}) beat ${formatDuration(Math.round(last.silentMs))} ago`;
  return last.silentMs <= SILENT_MS
    ? { healthy: true, message: text }
    : { healthy: false, message: `${text}: it hangs, or cannot reach the database` };
}

// A restarted container keeps its host name; rows of its former process may still be there.
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
