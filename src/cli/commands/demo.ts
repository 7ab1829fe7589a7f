// dagwright demo: the main job on the embedded database, shown live.
import { fileURLToPath } from 'node:url';
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { runWorkflow } from './run.ts';

export function defineCommand(command: Command): void {
  command.action(action(runDemo));
}

const DEFINITION = fileURLToPath(new URL('../../../examples/research-brief.yaml', import.meta.url));

async function runDemo(context: CommandContext): Promise<number> {
  context.say(
    `${context.paint('bold', 'Dagwright demo')}: examples/research-brief.yaml, with simulated models (no key, no network)\n`,
  );
  const input = JSON.stringify({ question: 'Why do durable workflows matter?', depth: 2 });
  const code = await runWorkflow(context, { input }, DEFINITION);
  context.say(
    `\nThe run is kept: npx dagwright executions list\nYour own: npx dagwright run examples/research-brief.yaml --input '{"question":"…"}'`,
  );
  return code;
}
