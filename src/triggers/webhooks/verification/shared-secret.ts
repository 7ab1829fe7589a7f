// A secret that the sender shows as it is: in a header, or by Basic or Bearer authorization.
import { type Delivery, requireHeader } from './delivery.ts';
import { isSameSecret } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

export const SECRET_HEADER = 'x-webhook-secret';

/** Why the delivery is refused, or null. `authType: none` asks for nothing. */
export function checkSharedSecret(delivery: Delivery, rule: VerificationRule): string | null {
  switch (rule.authType) {
    case 'none':
      return null;
    case 'secret': {
      const name = rule.options.secretHeader?.toLowerCase() ?? SECRET_HEADER;
      const header = requireHeader(delivery, name);
      return header.ok ? compare(header.value, rule.secrets, name) : header.reason;
    }
    case 'bearer':
      return compareAuthorization(delivery, /^Bearer +(\S+)$/i, rule.secrets);
    case 'basic':
      return compareAuthorization(
        delivery,
        /^Basic +(\S+)$/i,
        // "user:" has an empty password: nobody's choice, so nobody's secret.
        rule.secrets
          .filter((secret) => /^[^:]+:./su.test(secret))
          .map((secret) => Buffer.from(secret).toString('base64')),
      );
    default:
      return 'unknown authType';
  }
}

function compareAuthorization(delivery: Delivery, scheme: RegExp, secrets: readonly string[]): string | null {
  const header = requireHeader(delivery, 'authorization');
  if (!header.ok) return header.reason;
  const given = scheme.exec(header.value)?.[1];
  return given === undefined
    ? 'the header authorization has another scheme'
    : compare(given, secrets, 'authorization');
}

function compare(given: string, secrets: readonly string[], name: string): string | null {
  let isMatch = false;
  for (const secret of secrets) if (secret !== '' && isSameSecret(given, secret)) isMatch = true;
  return isMatch ? null : `the header ${name} does not match`;
}
