// dagwright executions signal: sends a signal to an execution.
import { MAX_DEDUPE_KEY, MAX_STORED_SIGNALS } from '../../../core/signal.ts';
import { signalExecution } from '../../../resources/signals.ts';
import { action } from '../../action.ts';
import { at } from '../../at.ts';
import { type Command, command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { textWithin } from '../../input/arguments.ts';
import { readJsonArgument } from '../../input/json-argument.ts';
import { outcomeToRefusal } from '../../refusal.ts';
import { requireId } from './execution-id.ts';

export function addSignalCommand(executions: Command): void {
  command(executions, 'signal', 'send a signal that a task waits for, or will')
    .argument('<id>')
    .argument('<name>')
    .option('--payload <json|@file>', 'what the task gets', 'null')
    .option(
      '--dedupe-key <key>',
      'the same key sends nothing again',
      textWithin({ minLength: 1, maxLength: MAX_DEDUPE_KEY }),
    )
    .option('--broadcast', 'to all that wait for it, not to the oldest alone')
    .action(action(sendOne));
}

interface SignalOptions {
  readonly payload: string;
  readonly dedupeKey?: string;
  readonly broadcast?: boolean;
}

const SAID = {
  delivered: 'a task has it',
  stored: 'it is stored until a task takes it',
  duplicate: 'it was sent before, and nothing is sent again',
} as const;

async function sendOne(
  context: CommandContext,
  { payload, dedupeKey, broadcast }: SignalOptions,
  id: string,
  name: string,
): Promise<number> {
  requireId(id);
  const given = { id, name, payload: await readJsonArgument(payload, '--payload'), dedupeKey, broadcast };
  return await context.withTenant(async (client, acting) => {
    const sent = outcomeToRefusal(await at(signalExecution)(client, acting, given), {
      arguments: { '/name': '<name>', '/payload': '--payload', '/dedupeKey': '--dedupe-key' },
      hints: {
        already_ended: `dagwright executions show ${id}`,
        too_many_signals: `dagwright executions why ${id} says what its tasks wait for; of each name ${MAX_STORED_SIGNALS} are kept`,
      },
    });
    context.printJson(sent);
    context.say(`signal "${name}" to ${id}: ${SAID[sent.status]}`);
    return 0;
  });
}
