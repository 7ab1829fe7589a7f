// What `dagwright init` writes: a project that runs as it stands, each file with its text.

export interface ProjectFile {
  /** Below the project's folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface ProjectOptions {
  /** Of package.json. */
  readonly name: string;
  /** How it gets dagwright. */
  readonly dependency: string;
  /** JSON Schema of definitions, for editors. */
  readonly schema: object;
}

/** The files of a new project. */
export function projectFiles({ name, dependency, schema }: ProjectOptions): readonly ProjectFile[] {
  return [
    { path: 'package.json', text: packageText(name, dependency) },
    { path: '.env', text: ENVIRONMENT },
    { path: '.gitignore', text: 'node_modules/\n.dagwright/\n.env\n' },
    { path: 'tasks/count-words.js', text: TASK },
    { path: 'workflows/hello.yaml', text: WORKFLOW },
    { path: 'workflow.schema.json', text: `${JSON.stringify(schema, null, 2)}\n` },
    { path: 'test/hello.test.js', text: TEST },
    { path: 'README.md', text: readmeText(name) },
  ];
}

function packageText(name: string, dependency: string): string {
  const content = {
    name,
    private: true,
    type: 'module',
    scripts: {
      hello: 'dagwright run workflows/hello.yaml',
      dev: 'dagwright dev',
      test: 'node --test',
      schema: 'dagwright schema > workflow.schema.json',
    },
    dependencies: { dagwright: dependency },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const ENVIRONMENT = `# Read by every dagwright command in this folder. No place in a repository: secrets may come here.

# Modules with task types of your own.
DAGWRIGHT_TASKS=./tasks/count-words.js

# Without it, a PostgreSQL of its own is started in .dagwright/.
# DATABASE_URL=postgres://user:password@localhost:5432/database
`;

const TASK = `// A task type of your own: what it does is a plain function, which a test can call.
import { defineTask } from 'dagwright';

export function countWords(text) {
  return text.split(/\\s+/).filter((word) => word !== '').length;
}

export const countWordsTask = defineTask({
  type: 'count_words',
  // What \`config\` may hold: checked when a definition is saved, and shown by the editor.
  configSchema: {
    type: 'object',
    properties: { text: { type: 'string', description: 'What is counted.' } },
    required: ['text'],
    additionalProperties: false,
  },
  async run({ config, log }) {
    const words = countWords(config.text);
    log.info('counted', { words });
    return { words };
  },
});
`;

const WORKFLOW = `# yaml-language-server: $schema=../workflow.schema.json
workflowId: hello
inputSchema:
  type: object
  properties:
    name: { type: string, minLength: 1 }
  additionalProperties: false
defaultParameters: { name: world }
nodes:
  - taskId: greet
    taskType: transformation
    config:
      output: "Hello, {{ input.name }}, from a workflow that survives a crash"

  - taskId: count
    taskType: count_words # tasks/count-words.js
    dependsOn: [greet]
    config:
      text: "{{ tasks.greet.output }}"
    retry: { maxAttempts: 3 }
output:
  greeting: $.tasks.greet.output
  words: $.tasks.count.output.words
`;

const TEST = `import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { countWords } from '../tasks/count-words.js';

test('words are counted', () => {
  assert.equal(countWords(' two  words '), 2);
});

test('the workflow runs to its end, on a database that is thrown away', async () => {
  const args = ['dagwright', 'run', 'workflows/hello.yaml', '--ephemeral', '--json'];
  const { stdout } = await promisify(execFile)('npx', args, { shell: process.platform === 'win32' });
  const { status, output } = JSON.parse(stdout);
  assert.equal(status, 'completed');
  assert.equal(output.words, 9);
});
`;

function readmeText(name: string): string {
  return `# ${name}

\`\`\`sh
npm install
npm run hello          # runs workflows/hello.yaml, and prints what became of it
npm test               # a test of the task, and one of the whole workflow
npm run dev            # HTTP on http://127.0.0.1:3000, a worker and the scheduler
\`\`\`

- \`workflows/hello.yaml\`: a workflow. Its first line gives editors its schema; after a change of your tasks: \`npm run schema\`.
- \`tasks/count-words.js\`: a task type of your own. \`.env\` names its module in \`DAGWRIGHT_TASKS\`.
- \`npx dagwright validate workflows/*.yaml\` checks definitions, \`npx dagwright apply workflows/*.yaml\` saves them for \`dev\` and the API.
- \`npx dagwright explain count_words\` says what a task type takes; \`explain join\` a function, \`explain timeout\` an error.
`;
}
