// Codes of what goes wrong around the work: settings, the database, connections. Commands print them, the library throws them.
import type { CodeText } from './code-text.ts';

export const PROGRAM_CODES = {
  usage: {
    means: 'The command was given what it does not take. Exit code 2.',
    fix: '`dagwright COMMAND --help`',
  },
  setting: { means: 'A setting or secret is missing or does not fit.', fix: '`.env.example` lists them.' },
  database: {
    means: 'The database cannot be reached, refuses the login, or may not be used so.',
    fix: '`DATABASE_URL`; `dagwright doctor`',
  },
  embedded_database: { means: 'The embedded PostgreSQL cannot be used here.' },
  migration: { means: 'The database cannot be brought up to date.' },
  migrations_pending: { means: 'The database lacks migrations.', fix: '`dagwright migrate`' },
  isolation: {
    means: 'The database would not keep tenants apart.',
    fix: '`dagwright doctor` says what mends it.',
  },
  listen: { means: 'The address or port cannot be listened on.' },
  no_key: {
    means: 'Anybody on the network could call the service: no key is configured.',
    fix: '`DAGWRIGHT_ADMIN_KEY`, or `HOST=127.0.0.1`.',
  },
  in_use: { means: 'Workers live on the database that was to be deleted.' },
  not_confirmed: { means: 'Nothing was done: it was not confirmed.', fix: '`--yes`, if it is meant.' },
  not_found: { means: 'There is no such file, execution, workflow or whatever was named.' },
  not_a_file: { means: 'A folder, a device or a pipe where a file must be.' },
  exists: { means: 'A file is there that would be overwritten.' },
  duplicate: { means: 'Two files are of the same workflow.' },
  unreachable: {
    means: 'The service of `--server` does not answer.',
    fix: '`--server URL`, `DAGWRIGHT_URL`.',
  },
  redirected: {
    means:
      'The address of `--server` leads on to another: it is followed nowhere, since a key goes with each request.',
    fix: 'Give the address that it leads to, if it is yours.',
  },
  unexpected: { means: 'What nobody expected; the message tells it.', fix: '`LOG_LEVEL=debug` shows where.' },
  unknown: {
    means: 'What was answered is none of the service (`dagwright/client`): a proxy, or another server.',
  },
  closed: { means: 'The connection of the library was closed.' },
  already_started: { means: 'The worker of this connection of the library runs.' },
  execution_failed: {
    means: 'The execution whose result was waited for failed or was cancelled.',
    fix: '`dagwright executions show ID`',
  },
  timeout: { means: 'It took longer than was waited for; the execution goes on.' },
} as const satisfies Readonly<Record<string, CodeText>>;
