// dagwright validate, schema and apply
import { action, type Command, command, listAction } from '../command.ts';
import { applyFiles } from '../commands/apply.ts';
import { printSchema, validateFiles } from '../commands/validate.ts';

export function addDefinitionCommands(program: Command): void {
  command(program, 'validate', 'check definitions; warnings alone exit 0')
    .argument('<file...>')
    .option('--explain', 'say in words how each join is understood')
    .action(listAction<{ explain?: boolean }>(validateFiles));

  command(program, 'schema', 'print the JSON Schema of a definition, for editors').action(
    action(printSchema),
  );

  command(program, 'apply', 'save definitions; a changed one becomes a new revision')
    .argument('<file...>')
    .action(listAction((context, _options, files) => applyFiles(context, files)));
}
