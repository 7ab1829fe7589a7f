// dagwright run: applies a file, starts it, works until it has ended, prints the result.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import { applyDefaults, compileSchema } from '../../core/definition/schema/input-schema.ts';
import { canonicalJson, type Json } from '../../core/json.ts';
import { findCosts } from '../../db/executions/costs.ts';
import type { RunView } from '../../db/executions/execution-views.ts';
import type { StartOf } from '../../triggers/starts/starts.ts';
import { action } from '../action.ts';
import { applyWorkflows, switchedLines } from '../apply-workflow.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../input/arguments.ts';
import { readJsonArgument } from '../input/json-argument.ts';
import { readDefinition } from '../known-types.ts';
import { costSummary } from '../output/cost-summary.ts';
import { executionSummary } from '../output/task-table.ts';
import { problemLines, Refusal } from '../refusal.ts';
import type { RemoteService } from '../remote/service.ts';
import { runToEnd } from '../run-execution.ts';
import { ignore } from '../watch-execution.ts';

export function defineCommand(command: Command): void {
  command
    .option('--input <json|@file>', 'the input', '{}')
    .option('--priority <1-10>', 'higher first', wholeNumber(1, 10))
    .option('--idempotency-key <key>', 'the same key returns the first execution')
    .action(action(runWorkflow));
}

interface RunOptions {
  readonly input: string;
  readonly priority?: number;
  readonly idempotencyKey?: string;
}

export async function runWorkflow(
  context: CommandContext,
  options: RunOptions,
  target: string,
): Promise<number> {
  const input = await readJsonArgument(options.input, '--input');
  const isFile = existsSync(target) || /\.(ya?ml|json)$/i.test(target);
  if (context.server !== null)
    return await runElsewhere(context, context.server, { target, isFile, input, options });
  const file = isFile ? await readDefinition(context, target) : null;
  // Before anything is saved; whoever starts a stored definition has its input checked there.
  if (file !== null) refuseInput(file.definition, input);
  if (file !== null && file.warnings.length > 0) context.note(problemLines(file.warnings, 'warning'));
  return await context.withSystem(async (system) => {
    const applied =
      file === null
        ? { workflowId: target }
        : (await applyWorkflows(system, [{ file: '', definition: file.definition }]))[0]!;
    if ('triggers' in applied) for (const line of switchedLines(applied)) context.note(line);
    const { execution, tasks } = await runToEnd({
      system,
      request: {
        workflowId: applied.workflowId,
        ...('revision' in applied ? { revision: applied.revision } : {}),
        input,
        triggerType: 'manual',
        priority: options.priority,
        ...keyOf(options.idempotencyKey, input),
      },
      tenant: context.tenant,
      io: context.io,
      live: !context.isJson && context.io.stdout.isTTY === true ? context.io.stdout : null,
      print: context.isJson ? ignore : context.say,
      note: context.note,
      paint: context.paint,
    });
    const spendings = context.isJson
      ? []
      : await system.database.withTenant(system.tenantId, (client) =>
          findCosts(client, system.tenantId, execution.id),
        );
    const costs = costSummary(execution, { spendings, tasks }, context.paint);
    if (costs !== '') context.say(`\n${costs}\n`);
    context.say(executionSummary(execution, context.paint));
    context.printJson({ ...execution, tasks } satisfies RunView);
    return execution.status === 'completed' ? 0 : 1;
  });
}

async function runElsewhere(
  context: CommandContext,
  server: RemoteService,
  {
    target,
    isFile,
    input,
    options: { priority, idempotencyKey },
  }: {
    readonly target: string;
    readonly isFile: boolean;
    readonly input: Json;
    readonly options: RunOptions;
  },
): Promise<number> {
  const { runRemotely } = await import('../remote/run.ts');
  let workflowId = target;
  if (isFile) {
    const { checkRemotely, saveRemotely } = await import('../remote/definitions.ts');
    const checked = await checkRemotely(server, target);
    const { errors, warnings } = checked.validation;
    if (errors.length > 0) throw new Refusal(errors);
    if (warnings.length > 0) context.note(problemLines(warnings, 'warning'));
    const [saved] = await saveRemotely(server, [checked]);
    workflowId = saved!.workflowId;
    for (const line of switchedLines(saved!)) context.note(line);
  }
  return await runRemotely(context, server, { workflowId, input, priority, idempotencyKey });
}

function refuseInput({ inputSchema, defaultParameters }: WorkflowDefinition, input: Json): void {
  const schema = inputSchema === undefined ? null : compileSchema(inputSchema);
  if (schema === null || !schema.ok) return;
  const problems = schema.value.validate(applyDefaults(defaultParameters, input));
  if (problems.length > 0)
    throw new Refusal(problems.map((problem) => ({ ...problem, pointer: `--input${problem.pointer}` })));
}

/** A key stands for one input: with another one it is refused, not answered with the first execution. */
function keyOf(
  idempotencyKey: string | undefined,
  input: Json,
): Pick<StartOf, 'idempotencyKey' | 'requestHash'> {
  if (idempotencyKey === undefined) return {};
  return { idempotencyKey, requestHash: createHash('sha256').update(canonicalJson({ input })).digest('hex') };
}
