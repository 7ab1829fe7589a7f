// dagwright health: whether the service of this machine (or container) is well, for HEALTHCHECK and probes that run a
// command. Where PORT or DAGWRIGHT_METRICS_PORT is set it asks /healthz and /readyz there; else the database, whether the worker of this host beats.
import { hostname } from 'node:os';
import { embeddedStatus } from '../../db/embedded/server.ts';
import { openProbe } from '../../db/operations/doctor.ts';
import { readWorkers } from '../../db/operations/doctor-engine.ts';
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { passwordsOf, reasonOf, withoutSecrets } from '../doctor/check.ts';
import { formatDuration } from '../output/terminal.ts';
import { isEveryAddress } from '../settings/http-settings.ts';

export function defineCommand(command: Command): void {
  command
    .option('--live', 'for liveness probes: a database that does not answer is no reason to restart')
    .action(action<{ live?: boolean }>(health));
}

/** Three beats. */
const SILENT_MS = 10_000;

interface Health {
  readonly healthy: boolean;
  readonly message: string;
}

/** Of one answer, in milliseconds. */
const ANSWER_MS = 4_000;

/**
 * Exit code 0 if all loops go on and, without `live`, the service may take work; without PORT, if a worker of this host, whose
 * process lives, has beaten within 10 s by the database's clock. With `live`, a database that does not answer is no fault of
 * the process: restarting it would not help.
 */
async function health(context: CommandContext, options: { readonly live?: boolean }): Promise<number> {
  const live = options.live === true;
  const { healthy, message } =
    context.config.http.isPortGiven || context.config.http.metricsPort !== undefined
      ? await askService(context, live)
      : await findHealth(context, live);
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

async function askService({ config }: CommandContext, live: boolean): Promise<Health> {
  const { host, metricsPort } = config.http;
  const port = metricsPort ?? config.http.port;
  const own = isEveryAddress(host) ? '127.0.0.1' : host;
  const base = `http://${own.includes(':') && !own.startsWith('[') ? `[${own}]` : own}:${port}`;
  for (const path of live ? ['/healthz'] : ['/healthz', '/readyz']) {
    try {
      const answer = await fetch(`${base}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const { detail = answer.statusText } = (await answer.json()) as { detail?: string };
      if (!answer.ok) return { healthy: false, message: `${path}: ${detail}` };
    } catch (error) {
      return { healthy: false, message: `${base}${path} does not answer: ${reasonOf(error)}` };
    }
  }
  return { healthy: true, message: `the service at ${base} is well` };
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
