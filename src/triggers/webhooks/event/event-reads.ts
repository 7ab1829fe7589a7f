// Static checks of what filters and mappings read of an event, beyond the names of its scope.
import type { Problem } from '../../../core/errors.ts';
import type { Reference } from '../../../core/expression/mapping.ts';
import { nearestName } from '../../../core/expression/nearest.ts';
import { isCredentialHeader } from '../verification/sender-headers.ts';
import { TRIGGER_MEMBERS } from './event-scope.ts';

/** Reads that can never find anything: header names with capitals or of credentials, members that a webhook's trigger does not have. */
export function checkReads(references: readonly Reference[]): Problem[] {
  return references.flatMap(({ root, path, pointer }) => {
    const [first, second] = path;
    if (root === 'trigger' && first !== undefined && !TRIGGER_MEMBERS.some((name) => name === first))
      return [problem(pointer, `a webhook's trigger has no ${JSON.stringify(first)}`, memberHint(first))];
    const header =
      root === 'headers' ? first : root === 'trigger' && first === 'headers' ? second : undefined;
    if (typeof header !== 'string') return [];
    if (isCredentialHeader(header.toLowerCase()))
      return [
        problem(
          pointer,
          `${JSON.stringify(header)} may hold a credential, so it is never shown to filters and mappings`,
          'the verifier and authType check who sends; other headers can be read',
        ),
      ];
    if (header === header.toLowerCase()) return [];
    return [
      problem(
        pointer,
        `names of headers are lower-case here, got ${JSON.stringify(header)}`,
        `headers[${JSON.stringify(header.toLowerCase())}]`,
      ),
    ];
  });
}

function memberHint(name: string | number): string {
  const near = typeof name === 'string' ? nearestName(name, TRIGGER_MEMBERS) : null;
  return near === null ? `it has ${TRIGGER_MEMBERS.join(', ')}` : `did you mean ${near}?`;
}

function problem(pointer: string, message: string, hint: string): Problem {
  return { pointer, code: 'expression', message, hint };
}
