// The package as npm hands it out: installed into an empty project, started, imported and compiled against.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { createProject, type Project } from './project.ts';

const CLI = 'node_modules/.bin/dagwright';
/** Bytes of what is unpacked: 3.97 million, of which 0.9 are the migrations. */
const MOST_BYTES = 4_800_000;

const GREET = `
  type: 'greet',
  configSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  outputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
`;

let project: Project;
beforeAll(() => {
  project = createProject();
  project.write({
    'greeting.yaml':
      'workflowId: greeting\nnodes: [{ taskId: hi, taskType: greet, config: { name: Ada } }]\noutput: "{{ tasks.hi.output.text }}"\n',
    'tasks.ts': `import { defineTask } from 'dagwright';
      export const greet = defineTask({ ${GREET} run({ config }): { text: string } { return { text: 'Hello ' + config.name }; } });`,
    // No node_modules above it.
    '../elsewhere/tasks.ts': `import { defineTask } from 'dagwright';
      export const greet = defineTask({ ${GREET} run: ({ config }) => ({ text: 'Hello ' + config.name }) });`,
    '../common/package.json': '{ "type": "commonjs" }',
    '../common/tasks.ts': "import { defineTask } from 'dagwright';",
    'tasks.js': `import { defineTask } from 'dagwright';
      export const greet = defineTask({ ${GREET} run: ({ config }) => ({ text: 'Hello ' + config.name }) });`,
    'tasks.cjs': `const { defineTask } = require('dagwright');
      exports.greet = defineTask({ ${GREET} run: ({ config }) => ({ text: 'Hello ' + config.name }) });`,
  });
}, 300_000);
afterAll(() => project?.remove(), 120_000);

const eachNode = ['the oldest Node of engines', 'the Node of the tests'].map((name, i) => [name, i] as const);
const nodeAt = (i: number) => project.nodes[i]!;

describe('the package', () => {
  test('holds what runs, and nothing else', () => {
    const { files, unpackedSize } = project.packed;
    const allowed =
      /^(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts)|entry\/.*|drizzle\/\w+\.sql|drizzle\/meta\/_journal\.json|examples\/.*\.(json|yaml))$/;
    expect(files.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
    expect(unpackedSize).toBeLessThan(MOST_BYTES);
    // Started by their paths, which no import names.
    const started = [
      'db/embedded/watcher',
      'engine/worker/heartbeat-thread',
      'http/request/definition-process',
      'cli/commands/demo/worker-main',
    ];
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(started.map((file) => `dist/${file}.js`)),
    );
  });
});

describe.each(eachNode)('on %s', (_name, i) => {
  test('the command shows its help and its version', () => {
    const help = project.node(nodeAt(i), [CLI, '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: dagwright') });
    expect(project.node(nodeAt(i), [CLI, '--version']).stdout.trim()).toBe(packageJson.version);
  });

  test.each(['tasks.ts', 'tasks.js', 'tasks.cjs', '../elsewhere/tasks.ts'])(
    'a workflow with a task of %s runs',
    (tasks) => {
      const ran = project.node(nodeAt(i), [CLI, 'run', 'greeting.yaml', '--json'], {
        DAGWRIGHT_TASKS: tasks,
      });
      expect(ran.stdout, ran.stderr).toContain('"output":"Hello Ada"');
      expect(ran.code).toBe(0);
    },
  );

  test('a task module that Node takes for CommonJS is refused with what to do', () => {
    const env = { DAGWRIGHT_TASKS: '../common/tasks.ts' };
    const ran = project.node(nodeAt(i), [CLI, 'validate', 'greeting.yaml'], env);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/hint: .*tasks\.mts, or npm pkg set type=module/);
  });

  test('a program works with the library, by import and by require', () => {
    project.write({
      'program.js': `import * as package_ from 'dagwright';\nimport { DagwrightClient } from 'dagwright/client';\n${PROGRAM}`,
      'program.cjs': `const package_ = require('dagwright');\nconst { DagwrightClient } = require('dagwright/client');\n${PROGRAM}`,
    });
    for (const file of ['program.js', 'program.cjs']) {
      const { stderr, ...ran } = project.node(nodeAt(i), [file]);
      expect(ran, stderr).toEqual({ code: 0, stdout: "Hello Ada [ 'hi' ] function\n" });
      // Node 22 has one of its own, of what undici looks at; a busy machine may be told to wait for its database.
      expect(stderr).not.toMatch(/\(node:\d+\) (?!ExperimentalWarning: SQLite )/);
    }
  });

  test('init writes a project whose own test passes', () => {
    const name = `begun-${i}`;
    expect(project.node(nodeAt(i), [CLI, 'init', name]).code).toBe(0);
    // Below this project: what is installed here is found there.
    const script = `process.chdir('${name}'); require('node:child_process').execFileSync(process.execPath, ['--test'], { stdio: 'inherit' });`;
    const ran = project.node(nodeAt(i), ['--eval', script]);
    expect(ran.stdout, ran.stderr).toMatch(/^(?:ℹ|#) pass 2$/m);
    expect(ran.code).toBe(0);
  });

  test('import and require give the same', () => {
    const script = `const { createRequire } = await import('node:module');
      const required = createRequire(process.cwd() + '/mine.js')('dagwright');
      const imported = await import('dagwright');
      console.log(Object.keys(imported).filter((name) => required[name] !== imported[name]).length, Object.keys(imported).length > 2);`;
    const ran = project.node(nodeAt(i), ['--input-type=module', '--eval', script]);
    expect(ran).toEqual({ code: 0, stdout: '0 true\n', stderr: '' });
  });
});

const PROGRAM = `
  const { Dagwright, defineTask, workflow } = package_;
  const greet = defineTask({ ${GREET} run: ({ config }) => ({ text: 'Hello ' + config.name }) });
  const hello = workflow({
    workflowId: 'hello',
    nodes: [{ taskId: 'hi', taskType: greet, config: { name: '{{ input.who }}' } }],
    output: '{{ tasks.hi.output.text }}',
  });
  (async () => {
    const dagwright = await Dagwright.connect({ tasks: [greet] });
    await dagwright.apply(hello);
    await dagwright.startWorker();
    const run = await dagwright.start(hello, { who: 'Ada' });
    const seen = [];
    for await (const event of run.events()) if (event.type === 'task') seen.push(event.task.taskId);
    console.log(await run.result(), seen, typeof DagwrightClient);
    await dagwright.close();
  })();
`;

const CONSUMER = `
  const greet = defineTask({
    type: 'greet',
    configSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    run({ config }) {
      const name: string = config.name;
      // @ts-expect-error a misspelt field
      config.nme;
      if (name === '') throw new TerminalError('no_name', 'nobody');
      return name;
    },
  });
  const context: CustomTaskContext | null = null;
  export const used = [greet, context, RetryableError];
  const hello = workflow({
    workflowId: 'hello',
    inputSchema: { type: 'object', properties: { who: { type: 'string' } }, required: ['who'] },
    outputSchema: { type: 'object', properties: { said: { type: 'string' } }, required: ['said'] },
    nodes: [{ taskId: 'hi', taskType: greet, config: { name: '{{ input.who }}' } }],
  });
  export async function start(dagwright: Dagwright): Promise<string> {
    const run: Run<{ said: string }> = await dagwright.start(hello, { who: 'Ada' });
    // @ts-expect-error a misspelt input
    await dagwright.start(hello, { whom: 'Ada' });
    return (await run.result()).said;
  }
`;
const NAMES =
  'type CustomTaskContext, Dagwright, defineTask, RetryableError, type Run, TerminalError, workflow';
const CLIENT = `import { ApiError, DagwrightClient } from 'dagwright/client';
  export async function status(client: DagwrightClient): Promise<string> {
    const { id } = await client.start('hello', {});
    for await (const event of client.events(id)) if (event.type === 'task') return event.task.status;
    // @ts-expect-error a misspelt path
    await client.api.GET('/v1/executionz');
    const { data } = await client.api.GET('/v1/executions', { params: { query: { limit: 10 } } });
    return data?.items[0]?.status ?? ApiError.name;
  }
`;

describe('a project in TypeScript compiles against the package, its declarations checked too', () => {
  const kinds = [
    ['nodenext', 'nodenext', ['esm.mts', 'cjs.cts']],
    ['node16', 'node16', ['esm.mts', 'cjs.cts']],
    ['esnext', 'bundler', ['esm.mts']],
  ] as const;
  beforeAll(() => {
    const text = `import { ${NAMES} } from 'dagwright';\n${CLIENT}${CONSUMER}`;
    project.write({ 'esm.mts': text, 'cjs.cts': text, 'page.ts': CLIENT });
  });
  const compile = (files: readonly string[], more: Readonly<Record<string, string>>) => {
    const options = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2023', ...more };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return project.tsc([...args, '--ignoreConfig', ...files]);
  };

  test.each(kinds)('module %s, moduleResolution %s: %j', (module, moduleResolution, files) => {
    expect(compile(files, { module, moduleResolution, types: 'node' })).toMatchObject({
      code: 0,
      stdout: '',
    });
  });

  test('a page in a browser, without the types of Node', () => {
    const ran = compile(['page.ts'], {
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: 'es2023,dom',
      types: '',
    });
    expect(ran).toMatchObject({ code: 0, stdout: '' });
  });
});
