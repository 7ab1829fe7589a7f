// dagwright webhooks …
import { WEBHOOK_AUTH_TYPES, WEBHOOK_EVENT_STATUSES, WEBHOOK_VERIFIERS } from '../../core/trigger/webhook.ts';
import { action, type Command, choice, command, group, wholeNumber } from '../command.ts';
import { replayOne, showEvents } from '../commands/webhook-events.ts';
import {
  createOneWebhook,
  deleteOneWebhook,
  listAllWebhooks,
  showWebhook,
  updateOneWebhook,
} from '../commands/webhooks.ts';

export function addWebhookCommands(program: Command): void {
  const webhooks = group(program, 'webhooks', 'URLs where deliveries of outside services start workflows');
  command(webhooks, 'list', 'newest first')
    .option('--workflow <workflowId>')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(listAllWebhooks));
  withSettings(
    'create',
    command(webhooks, 'create', 'make a webhook; prints its URL, its secret (once) and a delivery to try'),
  )
    .argument('<workflowId>')
    .argument('<path>', 'below /hooks/ and the name of the tenant, such as orders')
    .action(action(createOneWebhook));
  command(webhooks, 'show', 'one webhook').argument('<id>').action(action(showWebhook));
  withSettings('update', command(webhooks, 'update', 'what is not named stays as it is'))
    .argument('<id>')
    .option('--workflow <workflowId>')
    .option('--path <path>')
    .addOption(choice('--status <status>', 'paused: deliveries are refused', ['active', 'paused']))
    .option('--new-secret', 'make one up, and print it')
    .option(
      '--previous-secret-expires-in <seconds>',
      'how long the secrets before still count; a day where absent',
      wholeNumber(0, 31_536_000),
    )
    .action(action(updateOneWebhook));
  command(webhooks, 'delete', 'with its events; executions stay')
    .argument('<id>')
    .action(action(deleteOneWebhook));
  command(webhooks, 'events', 'what came in, newest first; or one event with what it brought')
    .argument('<id>')
    .argument('[eventId]')
    .addOption(choice('--status <status>', 'only these', WEBHOOK_EVENT_STATUSES))
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(showEvents));
  command(webhooks, 'replay', 'decide an event anew, by the settings and the revision as they are now')
    .argument('<id>')
    .argument('<eventId>')
    .action(action(replayOne));
}

// What holds where an option is absent is said of `create` only: `update` leaves it as it is.
function withSettings(verb: 'create' | 'update', given: Command): Command {
  const absent = (text: string) => (verb === 'create' ? `; absent: ${text}` : '');
  return given
    .addOption(choice('--verifier <scheme>', 'whose signatures are checked', [...WEBHOOK_VERIFIERS, 'none']))
    .addOption(
      choice(
        '--auth-type <type>',
        `how the sender shows the secret${absent('none with a verifier, else secret')}`,
        WEBHOOK_AUTH_TYPES,
      ),
    )
    .option(
      '--secret <text|@file>',
      `or {{ secrets.NAME }} for DAGWRIGHT_SECRET_NAME${absent('one is made')}`,
    )
    .option('--options <json|@file>', 'of the verifier: signatureHeader, algorithm, encoding, prefix, …')
    .option(
      '--input-mapping <json|@file>',
      `the execution's input out of body, headers, query${absent('the body')}`,
    )
    .option('--filters <json|@file>', '[{ fieldPath, operator, value, logicGroup }]')
    .option('--priority <1-10>', 'higher first', wholeNumber(1, 10));
}
