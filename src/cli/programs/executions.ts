// dagwright executions …
import { EXECUTION_STATUSES } from '../../core/status.ts';
import { MAX_CANCEL_REASON } from '../../resources/executions.ts';
import { action, type Command, choice, command, group, textWithin, wholeNumber } from '../command.ts';
import { cancelOne, listAll, pauseOne, resumeOne, showOne, whyOne } from '../commands/executions.ts';
import { showLogs } from '../commands/executions-logs.ts';

const reason = textWithin({ minLength: 0, maxLength: MAX_CANCEL_REASON });

export function addExecutionCommands(program: Command): void {
  const executions = group(program, 'executions', 'list, show, follow, cancel, pause and resume executions');
  command(executions, 'list', 'newest first')
    .addOption(choice('--status <status>', 'only these', EXECUTION_STATUSES))
    .option('--workflow <workflowId>')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(listAll));
  command(executions, 'show', 'one execution with its tasks').argument('<id>').action(action(showOne));
  command(executions, 'why', 'what each of its unfinished tasks waits for')
    .argument('<id>')
    .action(action(whyOne));
  command(executions, 'logs', 'what its tasks logged, in the order of time')
    .argument('<id>')
    .option('--follow', 'go on until it has ended; with --json one object a line')
    .option('--task <taskId>')
    .option('--level <level>', 'this level and above: debug, info, warn, error')
    .option('--limit <n>', 'without --follow, at most 10000', wholeNumber(1, 10_000), 1_000)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(showLogs));
  command(executions, 'cancel', 'end an execution; nothing of it starts again')
    .argument('<id>')
    .option('--reason <text>', '', reason)
    .action(action(cancelOne));
  command(executions, 'pause', 'what runs may end, nothing else begins; timers and the deadline stand still')
    .argument('<id>')
    .action(action(pauseOne));
  command(executions, 'resume', 'let a paused execution go on').argument('<id>').action(action(resumeOne));
}
