// dagwright workflows …
import { DEFINITION_STATUSES, type DefinitionStatus } from '../../core/definition/model.ts';
import { MAX_REVISION } from '../../core/definition/workflow-id.ts';
import { action, type Command, choice, command, group, paged, wholeNumber } from '../command.ts';
import {
  listAllWorkflows,
  listRevisionsOf,
  rollbackOne,
  setStatusOf,
  showOneWorkflow,
} from '../commands/workflows.ts';

const revision = wholeNumber(1, MAX_REVISION);

export function addWorkflowCommands(program: Command): void {
  const workflows = group(program, 'workflows', 'saved definitions, their revisions, on and off');
  paged(
    command(workflows, 'list', 'newest first')
      .addOption(choice('--status <status>', 'only these', DEFINITION_STATUSES))
      .option('--category <category>'),
  ).action(action(listAllWorkflows));
  command(workflows, 'show', 'one workflow with its definition')
    .argument('<workflowId>')
    .option('--revision <n>', 'instead of the one that starts take', revision)
    .action(action(showOneWorkflow));
  paged(
    command(workflows, 'revisions', 'newest first; * is the one that starts take').argument('<workflowId>'),
    { flag: '--cursor <revision>', read: revision },
  ).action(action(listRevisionsOf));
  command(workflows, 'rollback', 'starts take an earlier revision, with its triggers, until the next save')
    .argument('<workflowId>')
    .argument('<revision>')
    .action(action(rollbackOne));
  const statuses: readonly (readonly [string, DefinitionStatus, string])[] = [
    ['activate', 'active', 'let it start, by hand and by its triggers'],
    ['archive', 'archived', 'put it out of the way: nothing starts it; what runs goes on'],
    ['draft', 'draft', 'nothing starts it until it is activated'],
  ];
  for (const [name, status, description] of statuses)
    command(workflows, name, description)
      .argument('<workflowId>')
      .action(action((context, _options, workflowId: string) => setStatusOf(context, workflowId, status)));
}
