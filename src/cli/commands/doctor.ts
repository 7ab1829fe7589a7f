// dagwright doctor: what is wrong, and what to do. One line per check; exit code 1 if one failed.

import { openServer } from '../../db/embedded/given-or-embedded.ts';
import { openProbe } from '../../db/operations/doctor.ts';
import { migrateDatabase, pendingMigrations } from '../../db/operations/migrate.ts';
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import {
  type CheckResult,
  makeCheck,
  passwordsOf,
  type Status,
  withoutConsequence,
  worst,
} from '../doctor/check.ts';
import { databaseChecks } from '../doctor/database-checks.ts';
import { engineChecks, settingsCheck } from '../doctor/engine-checks.ts';
import { secretsCheck } from '../doctor/secrets-check.ts';
import { indented } from '../safe-output.ts';

export function defineCommand(command: Command): void {
  command.action(action(doctor));
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' } as const satisfies Record<
  Status,
  string
>;

/** Makes all checks, each on its own; what fails for one cause is said once. --json: `{ checks: [{ name, status, message, hint }] }`. */
async function doctor(context: CommandContext): Promise<number> {
  const { config } = context;
  const server = await openServer(config, { ephemeral: context.isEphemeral, onProgress: context.note });
  try {
    // As with every command, an embedded database is brought up to date by itself.
    if (server.isEmbedded && (await pendingMigrations(server.url)) > 0) await migrateDatabase(server.url);
    const secrets = passwordsOf([server.url, server.directUrl]);
    const results: CheckResult[] = [];
    const make = async (check: Parameters<typeof makeCheck>[0]) => {
      const result = withoutConsequence(await makeCheck(check, secrets), results);
      results.push(result);
      show(context, result);
    };
    await make(settingsCheck(config));
    const client = await openProbe(server.url).catch((error: unknown) => error as Error);
    if (client instanceof Error) {
      await make({
        name: 'database',
        look: () => Promise.reject(client),
        ifBroken: 'check DATABASE_URL, and that the server runs; the other checks need it',
      });
    } else {
      try {
        const checks = [
          ...databaseChecks(client, server),
          ...engineChecks(client),
          secretsCheck(client, config),
        ];
        for (const check of checks) await make(check);
      } finally {
        await client.end().catch(() => {});
      }
    }
    context.printJson({ checks: results.map(({ isBroken: _, ...told }) => told) });
    const count = (status: Status) => results.filter((result) => result.status === status).length;
    const skipped = count('skip') === 0 ? '' : `, ${count('skip')} not looked at`;
    context.say(`\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} wrong${skipped}`);
    return worst(results) === 'fail' ? 1 : 0;
  } finally {
    await server.stop();
  }
}

function show(context: CommandContext, { name, status, message, hint }: CheckResult): void {
  context.say(
    indented(`${context.paint(COLOURS[status], status.padEnd(4))}  ${name.padEnd(12)}  ${message}`),
  );
  if (hint !== null) context.say(indented(`${' '.repeat(20)}-> ${hint}`));
}
