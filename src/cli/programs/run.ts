// dagwright run
import { action, type Command, command, wholeNumber } from '../command.ts';
import { runWorkflow } from '../commands/run.ts';

export function addRunCommand(program: Command): void {
  command(program, 'run', 'start a workflow, work until it has ended, print the result')
    .argument('<file|workflowId>', 'a definition (it is applied first), or the id of an applied one')
    .option('--input <json|@file>', 'the input', '{}')
    .option('--priority <1-10>', 'higher first', wholeNumber(1, 10))
    .option('--idempotency-key <key>', 'the same key returns the first execution')
    .action(action(runWorkflow));
}
