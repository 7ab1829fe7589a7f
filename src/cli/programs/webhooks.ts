// dagwright webhooks …
import { PRIORITY } from '../../core/priority.ts';
import {
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_EVENT_STATUSES,
  WEBHOOK_STATUSES,
  WEBHOOK_VERIFIERS,
} from '../../core/trigger/webhook.ts';
import { OVERLAP_SECONDS } from '../../resources/webhooks/secrets.ts';
import { action, type Command, choice, command, group, paged, wholeNumber } from '../command.ts';
import { replayOne, showEvents } from '../commands/webhook-events.ts';
import {
  createOneWebhook,
  deleteOneWebhook,
  listAllWebhooks,
  showOneWebhook,
  updateOneWebhook,
} from '../commands/webhooks.ts';

export function addWebhookCommands(program: Command): void {
  const webhooks = group(program, 'webhooks', 'URLs where deliveries of outside services start workflows');
  paged(command(webhooks, 'list', 'newest first').option('--workflow <workflowId>')).action(
    action(listAllWebhooks),
  );
  withSettings(
    'create',
    command(webhooks, 'create', 'make a webhook; prints its URL, its secret (once) and a delivery to try'),
  )
    .argument('<workflowId>')
    .argument('<path>', 'below /hooks/ and the name of the tenant, such as orders')
    .action(action(createOneWebhook));
  command(webhooks, 'show', 'one webhook').argument('<id>').action(action(showOneWebhook));
  withSettings('update', command(webhooks, 'update', 'what is not named stays as it is'))
    .argument('<id>')
    .option('--workflow <workflowId>')
    .option('--path <path>')
    .addOption(choice('--status <status>', 'paused: deliveries are refused', WEBHOOK_STATUSES))
    .option('--new-secret', 'make one up, and print it')
    .option(
      '--previous-secret-expires-in <seconds>',
      'how long the secrets before still count; a day where absent',
      wholeNumber(0, OVERLAP_SECONDS.max),
    )
    .action(action(updateOneWebhook));
  command(webhooks, 'delete', 'with its events; executions stay')
    .argument('<id>')
    .action(action(deleteOneWebhook));
  paged(
    command(webhooks, 'events', 'what came in, newest first; or one event with what it brought')
      .argument('<id>')
      .argument('[eventId]')
      .addOption(choice('--status <status>', 'only these', WEBHOOK_EVENT_STATUSES)),
  ).action(action(showEvents));
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
    .option(
      `--priority <${PRIORITY.min}-${PRIORITY.max}>`,
      'higher first',
      wholeNumber(PRIORITY.min, PRIORITY.max),
    );
}
