// The parts of docs/ that are made of the source: schemas, tables of functions and codes, the API's description.
import { CODE_PLACES, type CodePlace, meaningsOf } from '../../../src/core/codes/code-table.ts';
import { BUILTIN_TASK_TYPES } from '../../../src/core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../../src/core/definition/schema/document.ts';
import { TRIGGER_SCHEMAS } from '../../../src/core/definition/schema/trigger-schema.ts';
import { DEFAULT_RETRY_ON } from '../../../src/core/errors.ts';
import { FUNCTIONS } from '../../../src/core/expression/functions/registry.ts';
import { SCOPE_NAMES } from '../../../src/core/expression/scope.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { NOT_SUPPORTED, type NotSupported } from '../../../src/core/not-supported.ts';
import { describeApi } from '../described-api.ts';
import { FUNCTION_EXAMPLES } from './function-examples.ts';
import { code, fieldTable, table } from './schema-table.ts';

const SCHEMA = definitionSchema();
const part = (name: string) => (SCHEMA.$defs as JsonObject)[name] as JsonObject;

const SCOPE_TEXTS: Readonly<Record<(typeof SCOPE_NAMES)[number], string>> = {
  input: "The execution's input, with `defaultParameters` filled in.",
  parameters: 'The same, under another name.',
  trigger: 'What started it: `type`, and what that brought.',
  tasks: '`tasks.NAME.output`, `.status`, `.error`, `.branch` of ancestors that have ended.',
  execution: '`id`, `workflowId`, `revision` and more of the execution.',
  failures: 'Failures above this task.',
  task: 'This task: `input` (what `inputMapping` made), `attempt`, `callbackUrl`, `callbackToken`.',
  item: 'In the task of a `parallel` over items, and in `map` and `filter`: the element.',
  index: 'And its place, from 0.',
  loop: 'In a task with `repeat`: `index` of the round, from 0, and the output of the `previous` one (null in the first).',
  output: 'In `outputMapping`: the raw result. In `repeat`: the output of the round.',
  variables: '`variables.NAME`, as the tenant has set them.',
  secrets: '`secrets.NAME`; in the config of `external_api` and `model_inference` only.',
};

type Section = () => string | Promise<string>;

export const SECTIONS: Readonly<Record<string, Section>> = {
  definition: () => fieldTable(SCHEMA),
  node: () => fieldTable(part('node')),
  dependency: () => fieldTable(part('dependency')),
  retry: () => fieldTable(part('retry')),
  cache: () => fieldTable(part('cache')),
  repeat: () => fieldTable(part('repeat')),
  'retried codes': () => DEFAULT_RETRY_ON.map(code).join(' '),
  'not supported': () => {
    const lines: readonly NotSupported[] = Object.values(NOT_SUPPORTED);
    return lines.map((line) => `- ${'what' in line ? line.what : `\`${line.field}\` of a start`}`).join('\n');
  },
  scope: () =>
    table(
      ['name', 'what it is'],
      SCOPE_NAMES.map((name) => [code(name), SCOPE_TEXTS[name]]),
    ),
  functions: () =>
    table(
      ['function', 'example'],
      [...FUNCTIONS].map(([name, { signature }]) => [
        code(signature),
        (FUNCTION_EXAMPLES[name] ?? [])
          .map(([text, value]) => `${code(text)} is ${code(JSON.stringify(value))}`)
          .join('; '),
      ]),
    ),
  ...Object.fromEntries(CODE_PLACES.map((place) => [place.plural.toLowerCase(), () => codeTable(place)])),
  ...Object.fromEntries(
    Object.entries(TRIGGER_SCHEMAS).map(([kind, schema]) => [`trigger ${kind}`, () => fieldTable(schema)]),
  ),
  ...Object.fromEntries([...BUILTIN_TASK_TYPES].map(([type]) => [`task ${type}`, () => taskConfig(type)])),
  'http routes': () => routes(),
};

function codeTable({ kind, codes }: CodePlace): string {
  const meanings = Object.keys(codes).map((name) => meaningsOf(name).find((one) => one.kind === kind)!);
  const rows = Object.keys(codes).map((name, i) => {
    const { means, fix, statuses, isRetried } = meanings[i]!;
    const more = statuses?.join(', ') ?? (isRetried === undefined ? null : isRetried ? 'yes' : '');
    return [code(name), fix === undefined ? means : `${means} ${fix}`, ...(more === null ? [] : [more])];
  });
  const title = { 'error code': ['retried'], 'answer code': ['status'] }[kind] ?? [];
  return table(['code', 'meaning', ...title], rows);
}

function taskConfig(type: string): string {
  const { configSchema, exactlyOneOf = [], notSupported = [] } = BUILTIN_TASK_TYPES.get(type)!;
  const rules = exactlyOneOf.map((names) => {
    const offered = names.filter((name) => !notSupported.includes(name));
    return offered.length > 1
      ? `Exactly one of ${offered.map(code).join(', ')}.`
      : `${code(offered[0] ?? '')} is needed.`;
  });
  return [fieldTable(configSchema), ...rules].join('\n\n');
}

interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly description?: string;
}

async function routes(): Promise<string> {
  const { paths, tags } = (await describeApi()) as {
    paths: Record<string, Record<string, Operation>>;
    tags: readonly { readonly name: string; readonly description: string }[];
  };
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...operation,
    })),
  );
  return tags
    .map(({ name, description }) => {
      const own = all.filter((one) => one.tags.includes(name));
      const rows = own.map((one) => [code(`${one.method} ${one.path}`), one.summary, scopeOf(one)]);
      return `### ${name[0]!.toUpperCase()}${name.slice(1)}\n\n${description}\n\n${table(['route', 'does', 'takes'], rows)}`;
    })
    .join('\n\n');
}

// The last line of a description (http/openapi/operation.ts).
function scopeOf({ description = '' }: Operation): string {
  return /Takes (?:the scope )?(.+)\.$/.exec(description)?.[1] ?? 'no key';
}
