// dagwright run: applies a file, starts it, works until it has ended, prints the result.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { applyDefaults, compileSchema } from '../../core/definition/input-schema.ts';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import { parseDocument } from '../../core/definition/parse.ts';
import type { Json } from '../../core/json.ts';
import { findCosts } from '../../db/costs.ts';
import { applyDefinition, findDefinition } from '../../db/definitions.ts';
import type { ExecutionView, TaskView } from '../../db/executions.ts';
import type { CommandContext } from '../context.ts';
import { costSummary } from '../cost-summary.ts';
import { readDefinition } from '../definition-file.ts';
import { problemLines, Refusal, refuse } from '../refusal.ts';
import { ignore, runToEnd } from '../run-execution.ts';
import { loadTaskTypes, type System } from '../system.ts';
import { executionSummary } from '../task-table.ts';

export interface RunOptions {
  readonly input: string;
  readonly priority?: number;
  readonly idempotencyKey?: string;
}

export async function runWorkflow(
  context: CommandContext,
  options: RunOptions,
  target: string,
): Promise<number> {
  const input = await readInput(options.input);
  const isFile = existsSync(target) || /\.(ya?ml|json)$/i.test(target);
  const file = isFile ? await readDefinition(target, (await loadTaskTypes(context.config)).rules) : null;
  if (file !== null && file.warnings.length > 0) context.note(problemLines(file.warnings, 'warning'));
  return await context.withSystem(async (system) => {
    const definition = file?.definition ?? (await storedDefinition(system, target));
    checkInput(definition, input);
    if (file !== null) await applyDefinition(system.database, system.tenantId, definition, 'cli');
    const { execution, tasks } = await runToEnd({
      system,
      request: {
        workflowId: definition.workflowId,
        input,
        triggerType: 'manual',
        priority: options.priority,
        idempotencyKey: options.idempotencyKey,
        createdBy: 'cli',
      },
      live: !context.isJson && process.stdout.isTTY === true ? process.stdout : null,
      print: context.isJson ? ignore : context.say,
      paint: context.paint,
    });
    const spendings = context.isJson ? [] : await findCosts(system.database, system.tenantId, execution.id);
    const costs = costSummary(execution, spendings, context.paint);
    if (costs !== '') context.say(`\n${costs}\n`);
    context.say(executionSummary(execution, context.paint));
    context.printJson(resultObject(execution, tasks));
    return execution.status === 'completed' ? 0 : 1;
  });
}

/** The object of `run --json` and `executions show --json` (CONTRACT 5). */
export function resultObject(execution: ExecutionView, tasks: readonly TaskView[]): object {
  return { ...execution, tasks };
}

async function readInput(text: string): Promise<Json> {
  let source = text;
  if (text.startsWith('@')) {
    try {
      source = await readFile(text.slice(1), 'utf8');
    } catch (error) {
      throw refuse(
        'not_found',
        `cannot read the input ${text.slice(1)}: ${(error as Error).message}`,
        undefined,
        '--input',
      );
    }
  }
  const parsed = parseDocument(source, 'json');
  if (parsed.ok) return parsed.value as Json;
  throw new Refusal(parsed.problems.map((problem) => ({ ...problem, pointer: `--input${problem.pointer}` })));
}

async function storedDefinition(system: System, workflowId: string): Promise<WorkflowDefinition> {
  const stored = await findDefinition(system.database, system.tenantId, workflowId);
  if (stored !== null) return stored.definition;
  throw refuse(
    'not_found',
    `there is no workflow "${workflowId}"`,
    'apply its definition first: dagwright apply FILE',
  );
}

function checkInput(definition: WorkflowDefinition, input: Json): void {
  if (definition.inputSchema === undefined) return;
  const schema = compileSchema(definition.inputSchema);
  if (!schema.ok) throw new Refusal(schema.problems);
  const problems = schema.value.validate(applyDefaults(definition.defaultParameters, input));
  if (problems.length > 0)
    throw new Refusal(problems.map((problem) => ({ ...problem, pointer: `--input${problem.pointer}` })));
}
