// The options of a verifier as the owner of a webhook gives them.
import type { Problem, Result } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import {
  HMAC_ALGORITHMS,
  HMAC_ENCODINGS,
  KEY_ENCODINGS,
  MAX_HEADER_NAME_CHARS,
  MAX_PREFIX_CHARS,
  MAX_TEMPLATE_CHARS,
  SIGNED_PARTS,
  TIMESTAMP_FORMATS,
  type WebhookVerifier,
} from '../../core/trigger/webhook.ts';
import { defaultTemplate } from '../../triggers/webhooks/verification/hmac.ts';
import { partsOf, readTemplate } from '../../triggers/webhooks/verification/signed-content.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';

const HEADER_OPTIONS = ['signatureHeader', 'timestampHeader', 'deliveryIdHeader', 'secretHeader'] as const;
const OPTIONS = [
  ...HEADER_OPTIONS,
  'algorithm',
  'encoding',
  'prefix',
  'template',
  'timestampFormat',
  'keyEncoding',
  'url',
  'topicArn',
] as const;
/** What only the verifier `hmac` reads. */
const OF_HMAC = [
  'signatureHeader',
  'timestampHeader',
  'algorithm',
  'encoding',
  'prefix',
  'template',
  'timestampFormat',
  'keyEncoding',
] as const;
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]{1,50}:\d{12}:[A-Za-z0-9_-]{1,256}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII but a comma. */
const PREFIX = /^[\x21-\x2b\x2d-\x7e]*$/;

/** Reads the options of a webhook; header names become lower-case. All problems at once, pointers below `pointer`. */
export function readVerificationOptions(
  given: Json | undefined,
  pointer = '/options',
): Result<VerificationOptions> {
  if (given === undefined) return { ok: true, value: {} };
  if (!isJsonObject(given)) return { ok: false, problems: [problem(pointer, 'options must be an object')] };
  const problems: Problem[] = [];
  const options: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const message = optionProblem(name, value);
    if (message !== null)
      problems.push(problem(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message));
    else if (typeof value === 'string')
      options[name] = (HEADER_OPTIONS as readonly string[]).includes(name) ? value.toLowerCase() : value;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: options };
}

function optionProblem(name: string, value: Json): string | null {
  if (!(OPTIONS as readonly string[]).includes(name))
    return `unknown option; known are ${OPTIONS.join(', ')}`;
  if (typeof value !== 'string') return 'must be text';
  if (name === 'algorithm') return oneOf(HMAC_ALGORITHMS, value);
  if (name === 'encoding') return oneOf(HMAC_ENCODINGS, value);
  if (name === 'timestampFormat') return oneOf(TIMESTAMP_FORMATS, value);
  if (name === 'keyEncoding') return oneOf(KEY_ENCODINGS, value);
  if (name === 'topicArn')
    return TOPIC_ARN.test(value)
      ? null
      : 'must be a topic, such as arn:aws:sns:eu-central-1:123456789012:orders';
  if (name === 'template')
    return value.length <= MAX_TEMPLATE_CHARS && readTemplate(value) !== null
      ? null
      : `must be at most ${MAX_TEMPLATE_CHARS} characters with ${SIGNED_PARTS.map((part) => `{${part}}`).join(', ')} in it, and no other braces`;
  if (name === 'url')
    return /^https?:\/\/[\x21-\x7e]{1,1000}$/i.test(value) && !/[?#]/.test(value) && URL.canParse(value)
      ? null
      : 'must be an http or https URL without a query';
  if (name === 'prefix')
    return value.length <= MAX_PREFIX_CHARS && PREFIX.test(value)
      ? null
      : `must be at most ${MAX_PREFIX_CHARS} visible ASCII characters without a comma`;
  const isName = value.length <= MAX_HEADER_NAME_CHARS && HEADER_NAME.test(value);
  return isName ? null : 'must be the name of a header';
}

/** Options that do not go together, or not with the verifier. */
export function optionConflicts(verifier: WebhookVerifier | null, options: VerificationOptions): Problem[] {
  const problems: Problem[] = [];
  const report = (name: string, message: string, hint?: string): void => {
    problems.push({
      pointer: `/options/${name}`,
      code: 'conflict',
      message,
      ...(hint !== undefined && { hint }),
    });
  };
  if (verifier !== 'sns' && options.topicArn !== undefined) report('topicArn', 'this is an option of sns');
  if (verifier === 'sns' && options.topicArn === undefined)
    report(
      'topicArn',
      'sns needs it: anybody can have a topic, and Amazon signs its messages too',
      '"options": { "topicArn": "arn:aws:sns:eu-central-1:123456789012:orders" }',
    );
  if (verifier !== 'hmac') {
    for (const name of OF_HMAC)
      if (options[name] !== undefined && verifier !== null && NEW_OPTIONS.has(name))
        report(name, `the verifier ${verifier} has its own; this is an option of hmac`);
    return problems;
  }
  const { template, timestampHeader, timestampFormat, deliveryIdHeader, algorithm, keyEncoding } = options;
  const parts = partsOf(readTemplate(template ?? defaultTemplate(options)) ?? []);
  if (!parts.has('body')) report('template', 'must have {body}: what is not signed could be another');
  if (parts.has('timestamp') && timestampHeader === undefined)
    report('template', '{timestamp} needs options.timestampHeader', 'name the header that brings it');
  if (!parts.has('timestamp') && timestampHeader !== undefined)
    report('template', 'a timestamp that is not signed proves nothing', 'put {timestamp} into the template');
  if (parts.has('id') && deliveryIdHeader === undefined)
    report('template', '{id} needs options.deliveryIdHeader', 'name the header that brings it');
  if (timestampFormat !== undefined && timestampHeader === undefined)
    report('timestampFormat', 'needs options.timestampHeader');
  if (algorithm === 'ed25519' && keyEncoding === 'text')
    report('keyEncoding', 'a public key of ed25519 is hex or base64');
  return problems;
}

/** Those that came later are refused where they do nothing; older ones were always taken. */
const NEW_OPTIONS: ReadonlySet<string> = new Set(['template', 'timestampFormat', 'keyEncoding']);

function oneOf(known: readonly string[], value: string): string | null {
  return known.includes(value) ? null : `must be one of ${known.join(', ')}`;
}

function problem(pointer: string, message: string): Problem {
  return { pointer, code: 'validation', message };
}
