// Warns of flags that are kept with the definition and change nothing yet: whoever writes one counts on more.
import type { JsonObject } from '../../json.ts';
import type { Reporter } from '../reporter.ts';

const KEPT_FLAGS: readonly (readonly [field: string, instead: string])[] = [
  [
    'requiresAuditTrail',
    'the audit log has what people and callers do; of tasks there are the rows of each attempt, for as long as DAGWRIGHT_RETENTION_DAYS says',
  ],
  [
    'hipaaCompliant',
    'inputs, outputs and errors are stored, shown and logged as those of any other workflow; only secrets are taken out',
  ],
];

export function warnOfKeptFlags(document: JsonObject, reporter: Reporter): void {
  for (const [field, instead] of KEPT_FLAGS)
    if (document[field] === true)
      reporter.warn(
        `/${field}`,
        'not_supported',
        `${field} is kept with the definition, and changes nothing in this release`,
        instead,
      );
}
