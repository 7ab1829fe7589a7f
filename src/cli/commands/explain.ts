// dagwright explain: what a task type takes, what a function does, what a code means. All of it from the tables that checks and runs
// use.
import { CODE_PLACES, type CodeMeaning, meaningsOf } from '../../core/codes/code-table.ts';
import { BUILTIN_TASK_TYPES } from '../../core/definition/schema/builtin-types.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import { FUNCTIONS } from '../../core/expression/functions/registry.ts';
import { nearestName } from '../../core/expression/nearest.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { action } from '../action.ts';
import { type Command, suggestArguments } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export function defineCommand(command: Command): void {
  const codes = CODE_PLACES.map(
    ({ plural, codes }) => `  ${plural}: ${Object.keys(codes).slice(0, 3).join(', ')}, …`,
  );
  command.action(action(explainName)).addHelpText(
    'after',
    `
Names: task types and functions, and the codes that one meets:
${codes.join('\n')}

Examples:
  dagwright explain parallel
  dagwright explain http_503
  dagwright explain revision_mismatch`,
  );
  suggestArguments(command, [...new Set([...BUILTIN_TASK_TYPES.keys(), ...FUNCTIONS.keys(), ...CODE_NAMES])]);
}

const CODE_NAMES = CODE_PLACES.flatMap(({ codes }) => Object.keys(codes));

/** What each built-in type is for. */
const SUMMARIES: Readonly<Record<string, string>> = {
  aggregation: 'Makes one value of several: of its parents, or of a list.',
  condition: 'Chooses a branch; edges name the branch that they follow.',
  external_api: 'Calls a service over HTTP, and may wait for a callback.',
  fail: 'Fails on purpose, with a code and a message.',
  model_inference: 'Asks a language model, with tools where it is given some, or makes an embedding.',
  parallel: 'Runs a task for each item of a list, or named tasks beside each other.',
  terminate: 'Ends the whole execution.',
  transformation: 'Gives a value that is made of what came before.',
  wait: 'Waits for so long, or until an instant, without a slot.',
};

interface Explanation {
  /** `task type`, `function`, or what kind of code it is. */
  readonly kind: string;
  readonly name: string;
  readonly text: string;
  /** Of a code: where it is read. */
  readonly where?: string;
  /** Fields of a type's config. */
  readonly fields?: readonly ConfigField[];
}

interface ConfigField {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly text: string;
}

async function explainName(context: CommandContext, _options: object, name?: string): Promise<number> {
  const types = new Map([...BUILTIN_TASK_TYPES, ...(await loadTaskTypes(context.config)).rules]);
  if (name === undefined) return listNames(context, types);
  const found = explanationsOf(name, types);
  if (found.length === 0) {
    const near = nearestName(name, [...types.keys(), ...FUNCTIONS.keys(), ...CODE_NAMES]);
    throw refuse(
      'not_found',
      `"${name}" is no task type, function or code`,
      near === null ? 'dagwright explain lists them' : `dagwright explain ${near}`,
    );
  }
  context.printJson({ items: found });
  context.say(found.map((one) => textOf(one, context)).join('\n\n'));
  return 0;
}

/** All that a name stands for: `timeout` may be several things. */
function explanationsOf(name: string, types: ReadonlyMap<string, TaskTypeRule>): Explanation[] {
  const found: Explanation[] = [];
  const rule = types.get(name);
  if (rule !== undefined)
    found.push({ kind: 'task type', name, text: typeText(rule), fields: fieldsOf(rule) });
  const spec = FUNCTIONS.get(name.replace(/\(\)$/, ''));
  if (spec !== undefined)
    found.push({ kind: 'function', name, text: `${spec.signature}\n${argumentsText(spec)}` });
  for (const meaning of meaningsOf(name)) {
    const { kind, where } = meaning;
    found.push({ kind, name, text: codeText(meaning), where: plain(where) });
  }
  return found;
}

function typeText({
  type,
  status,
  exactlyOneOf = [],
  atMostOneOf = [],
  neverCompletes,
  usesModel,
}: TaskTypeRule): string {
  const lines = [
    status === 'not_supported'
      ? 'This release does not have it.'
      : (SUMMARIES[type] ?? 'A task type of this installation.'),
    ...exactlyOneOf.map((names) => `One of ${names.join(', ')} must be given.`),
    ...atMostOneOf.map((names) => `At most one of ${names.join(', ')} may be given.`),
    usesModel === true ? 'The node names its model: modelId: PROVIDER/MODEL.' : null,
    neverCompletes === true ? 'It never ends as completed: no success can follow from it.' : null,
  ];
  return lines.filter((line) => line !== null).join('\n');
}

function fieldsOf({ configSchema }: TaskTypeRule): readonly ConfigField[] {
  const { properties, required } = configSchema;
  if (!isJsonObject(properties)) return [];
  const needed: readonly Json[] = Array.isArray(required) ? required : [];
  return Object.entries(properties).flatMap(([name, schema]) =>
    isJsonObject(schema)
      ? { name, type: typeOf(schema), isRequired: needed.includes(name), text: describe(schema) }
      : [],
  );
}

function typeOf(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return schema.enum.map(String).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map(String).join(' | ');
  return typeof schema.type === 'string' ? schema.type : 'any';
}

function describe({ description, default: fallback }: JsonObject): string {
  const text = typeof description === 'string' ? description : '';
  return fallback === undefined ? text : `${text} Default: ${JSON.stringify(fallback)}.`.trim();
}

function argumentsText({ least, most }: { readonly least: number; readonly most: number }): string {
  if (least === most) return least === 1 ? 'It takes one argument.' : `It takes ${least} arguments.`;
  return `It takes ${least} to ${most} arguments.`;
}

function codeText({ means, fix, statuses, isRetried }: CodeMeaning): string {
  const lines = [
    statuses === undefined ? means : `${means} Status ${statuses.join(' or ')}.`,
    fix === undefined ? null : `What to do: ${fix}`,
    isRetried === undefined
      ? null
      : isRetried
        ? 'It is tried again where the task has attempts left, unless retry.retryOn leaves it out.'
        : 'It is not tried again, unless retry.retryOn names it.',
  ];
  return plain(lines.filter((line) => line !== null).join('\n'));
}

/** Without the marks that documents have. */
const plain = (text: string) => text.replaceAll('`', '');

function textOf({ kind, name, text, where, fields = [] }: Explanation, { paint }: CommandContext): string {
  const rows = fields.map((field) => [
    `  ${field.name}${field.isRequired ? ' (required)' : ''}`,
    field.type,
    field.text,
  ]);
  const head = `${paint('bold', name)}  ${kind}${where === undefined ? '' : `: ${where}`}`;
  return [head, text, rows.length === 0 ? '' : `config:\n${table(rows)}`]
    .filter((part) => part !== '')
    .join('\n');
}

function listNames(context: CommandContext, types: ReadonlyMap<string, TaskTypeRule>): number {
  const lists = {
    'task types': [...types.values()].filter(({ status }) => status === 'built').map(({ type }) => type),
    functions: [...FUNCTIONS.keys()],
    ...Object.fromEntries(CODE_PLACES.map(({ plural, codes }) => [plural, Object.keys(codes)])),
  };
  context.printJson(lists);
  for (const [title, names] of Object.entries(lists))
    context.say(`${context.paint('bold', title)}\n  ${names.join(', ')}`);
  return 0;
}
