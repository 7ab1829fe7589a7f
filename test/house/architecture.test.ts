// The house: imports go down only, there are no cycles, and each of these packages has one door.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SRC = join(ROOT, 'src');

/** Floors, bottom first. A floor may import from itself and from those it names. */
const FLOORS: Record<string, readonly string[]> = {
  core: [],
  db: ['core'],
  tasks: ['core'],
  engine: ['core', 'db', 'tasks'],
  triggers: ['core', 'db', 'tasks'],
  resources: ['core', 'db', 'tasks', 'engine', 'triggers'],
  http: ['core', 'db', 'tasks', 'engine', 'triggers', 'resources'],
  // A room of the roof that both who live there use; it reads an environment that it is given.
  'cli/settings': ['core', 'tasks', 'engine', 'triggers', 'resources', 'http'],
  cli: ['core', 'db', 'tasks', 'engine', 'triggers', 'resources', 'http', 'cli/settings'],
  library: ['core', 'db', 'tasks', 'engine', 'triggers', 'resources', 'http', 'cli/settings'],
  // For browsers: of the API it knows what the generated description says, and of the house nothing.
  client: [],
  '.': ['core', 'tasks', 'library'],
};

/** The only files that may import these packages. */
const DOORS: Record<string, readonly string[]> = {
  'jsonpath-plus': ['core/expression/path/jsonpath.ts'],
  re2js: ['core/expression/linear-pattern.ts'],
  'graphile-worker': ['db/operations/migrate.ts', 'engine/worker/queue.ts'],
  '@pydantic/genai-prices': ['core/cost/price-library.ts'],
  'big.js': ['core/money.ts', 'core/aggregate.ts'],
  'drizzle-orm': [
    'db/tables/engine.ts',
    'db/tables/outside.ts',
    'db/tables/reviews.ts',
    'db/tables/service.ts',
    'db/tables/signals.ts',
    'db/tables/triggers.ts',
    'db/tables/workers.ts',
    'db/operations/migrate.ts',
  ],
  commander: ['cli/command.ts'],
  '@smithy/signature-v4': ['tasks/external-api/sigv4.ts'],
  'lru-cache': [
    'core/cache.ts',
    'engine/memory/held-results.ts',
    'tasks/access-tokens.ts',
    'triggers/starts/last-revisions.ts',
    'triggers/webhooks/certificates.ts',
  ],
  'string-width': ['cli/output/terminal.ts'],
  '@fastify/helmet': ['http/server/app.ts'],
  '@fastify/swagger': ['http/openapi/openapi.ts'],
  '@fastify/swagger-ui': ['http/openapi/openapi.ts'],
  'prom-client': ['http/process/metrics.ts'],
  pino: ['cli/output/log.ts'],
  yaml: ['core/definition/reading/parse.ts', 'core/definition/reading/positions.ts'],
  'openapi-fetch': ['client/client.ts', 'client/execution-events.ts'],
  'eventsource-parser': ['client/execution-events.ts'],
  undici: ['tasks/outbound/transport.ts'],
  'p-queue': ['engine/services/services.ts'],
  'cron-parser': ['core/cron/field-values.ts'],
  // Senders' libraries: they sign in tests, and verify nowhere.
  '@octokit/webhooks': [],
  standardwebhooks: [],
  stripe: [],
  '@ai-sdk/anthropic': ['tasks/model/sdk-model.ts'],
  '@ai-sdk/openai': ['tasks/model/sdk-model.ts'],
  '@ai-sdk/openai-compatible': ['tasks/model/sdk-model.ts'],
  '@ai-sdk/google': ['tasks/model/sdk-model.ts'],
  '@ai-sdk/provider': [
    'tasks/model/sdk-model.ts',
    'tasks/model/sdk-prompt.ts',
    'tasks/model/provider-error.ts',
  ],
};

/** Files of more than 300 lines (SQL: 200), and why they are not two. */
const LONG: Readonly<Record<string, string>> = {
  'client/api-description.ts': 'generated: one description, which nobody writes by hand',
  'core/definition/schema/document.ts': 'one table: the whole structure of a document, as editors get it',
  'core/expression/syntax/grammar.ts': 'one grammar',
  'core/plan/joins.ts': 'one algorithm, argued as a whole in its header',
  'db/functions/settle/settle.sql': 'one transaction; what is done per settle would pay for a call',
  'db/functions/triggers/schedules.sql': 'one protocol: the functions of a pass keep its invariants together',
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const statements = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'/gm),
    ...text.matchAll(/^import\s+()'([^']+)'/gm),
    ...text.matchAll(/()\bimport\('([^']+)'\)/g),
  ];
  return statements.map((match) => ({
    file,
    specifier: match[2]!,
    isTypeOnly: match[1] !== undefined && match[1] !== '',
  }));
});
const floorOf = (file: string) =>
  file.startsWith('cli/settings/') ? 'cli/settings' : file.includes('/') ? file.split('/')[0]! : '.';
const target = ({ file, specifier }: Import) => relative(SRC, join(SRC, dirname(file), specifier));

describe('the house', () => {
  it('lets imports go down only', () => {
    const up = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter((entry) => !target(entry).startsWith('..'))
      .filter((entry) => {
        const from = floorOf(entry.file);
        const to = floorOf(target(entry));
        return from !== to && !FLOORS[from]?.includes(to);
      })
      .map(({ file, specifier }) => `${file} -> ${specifier}`);
    expect(up).toEqual([]);
  });

  it('has no cycles of imports, those of types included', () => {
    const edges = new Map<string, string[]>(files.map((file) => [file, []]));
    for (const entry of imports)
      if (entry.specifier.startsWith('.')) edges.get(entry.file)?.push(target(entry));
    const done = new Set<string>();
    const path: string[] = [];
    const cycles: string[] = [];
    const visit = (file: string): void => {
      if (done.has(file)) return;
      const at = path.indexOf(file);
      if (at >= 0) {
        cycles.push([...path.slice(at), file].join(' -> '));
        return;
      }
      path.push(file);
      for (const next of edges.get(file) ?? []) visit(next);
      path.pop();
      done.add(file);
    };
    for (const file of files) visit(file);
    expect(cycles).toEqual([]);
  });

  it('keeps core pure: no clock, no randomness, no I/O', () => {
    const allowed = new Set(['core/id.ts']); // ids are made of time and randomness; nothing decides by them
    const impure = files
      .filter((file) => file.startsWith('core/') && !allowed.has(file))
      .flatMap((file) => {
        const text = readFileSync(join(SRC, file), 'utf8')
          .replace(/\/\/.*$/gm, '')
          .replace(/\/\*[\s\S]*?\*\//g, '');
        const found = text.match(
          /\bDate\.now\(|new Date\(\)|Math\.random\(|process\.env|node:(fs|net|http|child_process)|setTimeout\(/g,
        );
        return found === null ? [] : [`${file}: ${found.join(' ')}`];
      });
    expect(impure).toEqual([]);
  });

  it('knows of HTTP and its schemas on the http floor only', () => {
    // What an author's schemas give to TypeScript: types, which nothing loads.
    const isTypes = ({ file, isTypeOnly }: Import) => file === 'tasks/schema-value.ts' && isTypeOnly;
    const outside = imports
      .filter((entry) => !isTypes(entry))
      .filter(({ specifier }) => /^(fastify|typebox)(\/|$)/.test(specifier))
      .filter(({ file }) => !file.startsWith('http/'))
      .map(({ file, specifier }) => `${file} -> ${specifier}`);
    expect(outside).toEqual([]);
  });

  it('keeps the client free of Node: browsers load it', () => {
    const found = imports
      .filter(({ file }) => file.startsWith('client/'))
      .filter(({ specifier }) => !/^(\.\/|openapi-fetch$|eventsource-parser$)/.test(specifier))
      .map(({ file, specifier }) => `${file} -> ${specifier}`);
    expect(found).toEqual([]);
    const globals = files
      .filter((file) => file.startsWith('client/') && file !== 'client/api-description.ts')
      .filter((file) =>
        /\b(process|Buffer|NodeJS|setImmediate|__dirname)\b/.test(readFileSync(join(SRC, file), 'utf8')),
      );
    expect(globals).toEqual([]);
  });

  it('has one door for each of these packages', () => {
    for (const [name, doors] of Object.entries(DOORS)) {
      const importers = imports
        .filter(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`))
        .map(({ file }) => file);
      expect(
        [...new Set(importers)].filter((file) => !doors.includes(file)),
        name,
      ).toEqual([]);
    }
  });

  it('starts no process with the declared tables: they cost 130 MB and half a second', () => {
    const schemas = [
      'db/tables/engine.ts',
      'db/tables/outside.ts',
      'db/tables/reviews.ts',
      'db/tables/service.ts',
      'db/tables/signals.ts',
      'db/tables/triggers.ts',
      'db/tables/workers.ts',
    ];
    const readers = imports
      .filter(({ file, isTypeOnly }) => !isTypeOnly && !schemas.includes(file))
      .filter((entry) => schemas.includes(target(entry)))
      .map(({ file }) => file);
    expect(readers).toEqual([]);
  });

  it('reads the environment in the configuration only', () => {
    const readers = files.filter((file) => /process\.env/.test(readFileSync(join(SRC, file), 'utf8')));
    expect(readers.filter((file) => !['cli/io.ts', 'library/environment.ts'].includes(file))).toEqual([]);
  });

  it('writes SQL on the db floor only', () => {
    const statement = /`\s*(select|insert into|update|delete from)\s/i;
    const writers = files.filter(
      (file) => !file.startsWith('db/') && statement.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(writers).toEqual([]);
  });

  it('turns off evaluation at the one call of jsonpath-plus', () => {
    const text = readFileSync(join(SRC, 'core/expression/path/jsonpath.ts'), 'utf8');
    expect(text).toMatch(/eval: false/);
    expect(text).not.toMatch(/eval: '(native|safe)'|eval: true/);
  });

  it('names no file after nothing', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|types|misc|common|index)\.ts$/.test(file))).toEqual(
      ['index.ts'].filter((f) => files.includes(f)),
    );
  });

  it('is long only where the list says why', () => {
    const texts = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(ts|sql)$/.test(file),
    );
    const long = texts.filter(
      (file) =>
        readFileSync(join(SRC, file), 'utf8').split('\n').length > (file.endsWith('.sql') ? 200 : 300),
    );
    expect(long.sort()).toEqual(Object.keys(LONG).sort());
    const silent = long.filter((file) => {
      const [header] = readFileSync(join(SRC, file), 'utf8').split(/^(?!\/\/)/m, 1);
      return file.endsWith('.ts') && !header!.includes('Longer than most files, since ');
    });
    expect(silent, 'its header does not say why it is long').toEqual([]);
  });

  it('has a rule of a resource on its floor only: routes and commands read no rows of resources', () => {
    const faces = /^(http\/routes|cli\/commands)\//;
    const rows = /^db\/(resources|triggers|protocol)\//;
    const found = imports
      .filter(({ file, isTypeOnly }) => faces.test(file) && !isTypeOnly)
      .filter((entry) => rows.test(target(entry)))
      .map(({ file, specifier }) => `${file} -> ${specifier}`);
    expect(found).toEqual([]);
  });
});
