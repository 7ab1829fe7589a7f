// dagwright completion: what shells need to complete commands, options and their values, made of the commands themselves.
import { action } from '../action.ts';
import { type Command, suggestArguments } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { completionScript, SHELLS } from '../output/completion-script.ts';
import { refuse } from '../refusal.ts';

/** `loadAll`: adds what every command takes, which otherwise is there for the one that runs only. */
export function defineCommand(command: Command, loadAll: () => Promise<Command>): void {
  command.action(action((context, _options, shell: string) => printScript(context, shell, loadAll)));
  suggestArguments(command, SHELLS);
}

async function printScript(
  context: CommandContext,
  given: string,
  loadAll: () => Promise<Command>,
): Promise<number> {
  const shell = SHELLS.find((name) => name === given);
  if (shell === undefined)
    throw refuse(
      'usage',
      `there is no completion for "${given}"`,
      SHELLS.map((one) => `dagwright completion ${one}`).join(', '),
    );
  const script = completionScript(shell, await loadAll());
  context.say(script);
  context.printJson({ shell, script });
  return 0;
}
