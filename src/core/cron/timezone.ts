// Which names are time zones: those of the IANA database, as far as the runtime's own copy of it goes.
import { quoteText } from '../definition/quote-text.ts';
import type { Problem, Result } from '../errors.ts';
import { nearestName } from '../expression/nearest.ts';

const EXPECTED = 'expected a name of the IANA database, such as "Europe/Berlin" or "UTC"';
const MAX_CHARS = 64;
// The runtime also knows these, which IANA does not: IST is India there, Israel or Ireland elsewhere.
const ABBREVIATIONS =
  /^(ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST|SystemV\/.*)$/i;

/**
 * The name as given, with the case of the database where it is one of its present names. Older names (`Asia/Calcutta`,
 * `US/Pacific`) stay as they are. One problem else, of code `timezone` and pointer ''.
 */
export function parseTimezone(name: string): Result<string> {
  const shown = quoteText(name);
  if (name.length > MAX_CHARS) return refused(`the time zone has ${name.length} characters, ${EXPECTED}`);
  if (name.toLowerCase() === 'local')
    return refused(`time zone ${shown} depends on the machine, ${EXPECTED}`);
  if (/^[+-]|^(utc|gmt)[+-]\d/i.test(name) && !/^gmt[+-]0$/i.test(name))
    return refused(`time zone ${shown} is an offset, which knows no daylight saving, ${EXPECTED}`);
  const known = presentNames().get(name.toLowerCase());
  if (known !== undefined) return { ok: true, value: known };
  if (ABBREVIATIONS.test(name))
    return refused(`time zone ${shown} is an abbreviation that several zones use, ${EXPECTED}`);
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return { ok: true, value: name };
  } catch {
    const near = nearestZone(name);
    return refused(
      `unknown time zone ${shown}, ${EXPECTED}`,
      near === null ? undefined : `did you mean "${near}"?`,
    );
  }
}

/** By a typing error, or by the city alone (`Berlin`). */
function nearestZone(name: string): string | null {
  const names = [...presentNames().values()];
  const city = `/${name.trim().toLowerCase().replaceAll(' ', '_')}`;
  return names.find((zone) => zone.toLowerCase().endsWith(city)) ?? nearestName(name, names);
}

let present: Map<string, string> | undefined;
function presentNames(): Map<string, string> {
  // The runtime's list leaves UTC and GMT out.
  present ??= new Map(
    ['UTC', 'GMT', ...Intl.supportedValuesOf('timeZone')].map((zone) => [zone.toLowerCase(), zone]),
  );
  return present;
}

function refused(message: string, hint?: string): Result<never> {
  const problem: Problem = {
    pointer: '',
    code: 'timezone',
    message,
    ...(hint === undefined ? {} : { hint }),
  };
  return { ok: false, problems: [problem] };
}
