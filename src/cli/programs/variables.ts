// dagwright variables …
import { action, type Command, command, group, wholeNumber } from '../command.ts';
import { getVariable, listAllVariables, putVariable, removeVariable } from '../commands/variables.ts';

export function addVariableCommands(program: Command): void {
  const variables = group(
    program,
    'variables',
    'values that definitions read as variables.NAME; no place for secrets',
  );
  command(variables, 'list', 'by name')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <name>', 'nextCursor of the page before')
    .action(action(listAllVariables));
  command(variables, 'get', 'print its value, as JSON').argument('<name>').action(action(getVariable));
  command(variables, 'set', 'create or change one; the next attempt of a task sees it')
    .argument('<name>')
    .argument('<json|@file>', 'its value')
    .option('--text', 'the value is text, not JSON')
    .option('--description <text>', 'for people')
    .action(action(putVariable));
  command(variables, 'delete', 'tasks that still need it fail with missing_path')
    .argument('<name>')
    .action(action(removeVariable));
}
