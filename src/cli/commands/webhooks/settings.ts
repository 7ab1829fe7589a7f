// The options that say what a webhook does, and the fields they stand for.
import type { Json } from '../../../core/json.ts';
import { PRIORITY } from '../../../core/priority.ts';
import {
  WEBHOOK_AUTH_TYPES,
  WEBHOOK_VERIFIERS,
  type WebhookAuthType,
  type WebhookVerifier,
} from '../../../core/trigger/webhook.ts';
import type { Command } from '../../command.ts';
import { choice, wholeNumber } from '../../input/arguments.ts';
import { readJsonArgument, readTextArgument } from '../../input/json-argument.ts';

export interface SettingOptions {
  readonly authType?: WebhookAuthType;
  /** `none` takes it away. */
  readonly verifier?: WebhookVerifier | 'none';
  readonly secret?: string;
  readonly options?: string;
  readonly methods?: string;
  readonly handshakes?: string;
  readonly respond?: string;
  readonly inputMapping?: string;
  readonly filters?: string;
  readonly priority?: number;
}

/** What holds where an option is absent is said of `create` only: `update` leaves it as it is. */
export function withSettings(verb: 'create' | 'update', given: Command): Command {
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
    .option(
      '--options <json|@file>',
      'of the verifier: signatureHeader, algorithm, encoding, prefix, template, …',
    )
    .option(
      '--methods <json>',
      `requests that are deliveries: ["POST", "PUT", "GET", "HEAD"]${absent('POST')}`,
    )
    .option('--handshakes <json|@file>', 'answers to the sender, such as [{ "type": "validation_token" }]')
    .option(
      '--respond <json|@file>',
      `what the sender is answered, such as { "when": "completed", "withinSeconds": 25 }${absent('202')}`,
    )
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

/** Absent options have no key. */
export async function readSettings(options: SettingOptions) {
  const { authType, verifier, secret, priority } = options;
  const json = async (text: string | undefined, option: string): Promise<Json | undefined> =>
    text === undefined ? undefined : await readJsonArgument(text, option);
  const parts = {
    authType,
    verifier: verifier === 'none' ? null : verifier,
    priority,
    secret: secret === undefined ? undefined : await readTextArgument(secret, '--secret'),
    options: await json(options.options, '--options'),
    methods: await json(options.methods, '--methods'),
    handshakes: await json(options.handshakes, '--handshakes'),
    respond: await json(options.respond, '--respond'),
    inputMapping: await json(options.inputMapping, '--input-mapping'),
    filters: await json(options.filters, '--filters'),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Partial<
    typeof parts
  >;
}
