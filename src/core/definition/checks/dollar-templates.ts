// Finds `${{ … }}`, as it is written for other services: here the "$" is text, and stands before the value.
import type { Json, JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import type { Reporter } from '../reporter.ts';

/** Warns of each text of the tasks, the output and the triggers that has one. */
export function warnOfDollarTemplates(document: JsonObject, reporter: Reporter): void {
  for (const field of ['nodes', 'output', 'triggers', 'defaults'])
    if (document[field] !== undefined) visit(document[field], `/${field}`, reporter);
}

function visit(value: Json, pointer: string, reporter: Reporter): void {
  if (typeof value === 'string') {
    if (value.includes('${{'))
      reporter.warn(
        pointer,
        'dollar_template',
        'the "$" before "{{" is text: it stands before the value',
        'a template is {{ … }} alone; for a dollar sign that is meant: {{ "$" }}{{ … }}',
      );
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, entry] of (value as readonly Json[]).entries())
      visit(entry, joinPointer(pointer, i), reporter);
    return;
  }
  for (const [name, member] of Object.entries(value))
    if (name !== 'ui' && !name.startsWith('x-')) visit(member as Json, joinPointer(pointer, name), reporter);
}
