// The page behind a link (LANGUAGE H4): plain HTML with the review's form, without a script. Pure.
import { createHash } from 'node:crypto';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { decisionsOf, type ReviewDecision } from '../../core/review.ts';
import type { ReviewDetail } from '../../resources/reviews.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
pre{background:#f4f4f4;padding:.75rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
label{display:block;margin:.75rem 0 .25rem;font-weight:600}input:not([type=checkbox]),select,textarea{width:100%;box-sizing:border-box;padding:.4rem;font:inherit}
button{font:inherit;padding:.5rem 1.25rem;margin:1rem .5rem 0 0}.note{color:#555}.wrong{color:#a00}`;
/** No script, nothing from elsewhere, in no frame; its form goes back to where it came from. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

const BUTTONS: Readonly<Record<ReviewDecision, string>> = {
  approved: 'Approve',
  rejected: 'Reject',
  submitted: 'Submit',
};
const MAX_FIELDS = 50;
/** Prefix of the form's own fields, so that no name meets another's. */
const FIELD = 'data.';

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.codePointAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>${body}</body></html>\n`;
}

/** What there is to say, where there is nothing to decide. */
export function messagePage(title: string, text: string): string {
  return page(title, `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`);
}

/** The review with its form; `problems` are those of what was sent. */
export function reviewPage(
  review: ReviewDetail,
  person: string | null,
  sent: { readonly problems: readonly string[] } = { problems: [] },
): string {
  const { title, description, payload, dueAt } = review;
  const fields = fieldsOf(review);
  const parts = [
    `<h1>${escapeHtml(title)}</h1>`,
    description === null ? '' : `<p>${escapeHtml(description).replaceAll('\n', '<br>')}</p>`,
    `<pre>${escapeHtml(JSON.stringify(payload, null, 2))}</pre>`,
    dueAt === null ? '' : `<p class="note">Due at ${escapeHtml(dueAt)}.</p>`,
    ...sent.problems.map((problem) => `<p class="wrong">${escapeHtml(problem)}</p>`),
    '<form method="post">',
    `<input type="hidden" name="fence" value="${review.fence}">`,
    ...(fields ?? []).map(fieldHtml),
    fields === null ? textarea('json', 'Data (JSON)', jsonOf(review)) : '',
    textarea('comment', 'Comment', ''),
    ...decisionsOf(review.reviewType).map(
      (decision) => `<button name="decision" value="${decision}">${BUTTONS[decision]}</button>`,
    ),
    '</form>',
    person === null ? '' : `<p class="note">You decide as ${escapeHtml(person)}. This link works once.</p>`,
  ];
  return page(title, parts.join('\n'));
}

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'number' | 'integer' | 'boolean' | 'choice';
  readonly choices: readonly string[];
  readonly value: string;
  readonly isRequired: boolean;
}

/** The form's fields, where each is a plain value; null: it takes JSON. None: there is no form. */
export function fieldsOf({ formSchema, reviewType, payload }: ReviewDetail): readonly Field[] | null {
  if (formSchema === null) return reviewType === 'review' ? null : [];
  const { properties, required } = formSchema;
  if (!isJsonObject(properties)) return null;
  const entries = Object.entries(properties);
  if (entries.length > MAX_FIELDS) return null;
  const before = reviewType === 'review' && isJsonObject(payload) ? payload : {};
  const fields = entries.map(([name, schema]) =>
    fieldOf(name, schema, before[name], Array.isArray(required) && required.includes(name)),
  );
  return fields.includes(null) ? null : (fields as Field[]);
}

function fieldOf(name: string, schema: Json, before: Json | undefined, isRequired: boolean): Field | null {
  if (!isJsonObject(schema)) return null;
  const { title, default: given, enum: choices } = schema;
  const start = before ?? given ?? '';
  const common = {
    name,
    label: typeof title === 'string' ? title : name,
    value: typeof start === 'object' ? '' : String(start),
    isRequired,
  };
  if (Array.isArray(choices) && choices.every((one) => typeof one === 'string'))
    return { ...common, type: 'choice', choices: choices as string[] };
  switch (schema.type) {
    case 'string':
      return { ...common, type: 'text', choices: [] };
    case 'number':
    case 'integer':
    case 'boolean':
      return { ...common, type: schema.type, choices: [] };
    default:
      return null;
  }
}

function fieldHtml({ name, label, type, choices, value, isRequired }: Field): string {
  const id = `f-${escapeHtml(name)}`;
  const attributes = `id="${id}" name="${FIELD}${escapeHtml(name)}"`;
  const caption = `<label for="${id}">${escapeHtml(label)}${isRequired ? ' *' : ''}</label>`;
  const shown = escapeHtml(value);
  switch (type) {
    case 'boolean':
      return `${caption}<input type="checkbox" ${attributes} value="true"${value === 'true' ? ' checked' : ''}>`;
    case 'choice': {
      const options = choices.map(
        (one) =>
          `<option value="${escapeHtml(one)}"${one === value ? ' selected' : ''}>${escapeHtml(one)}</option>`,
      );
      return `${caption}<select ${attributes}><option value=""></option>${options.join('')}</select>`;
    }
    case 'text':
      return `${caption}<textarea ${attributes} rows="2">${shown}</textarea>`;
    case 'number':
    case 'integer':
      return `${caption}<input type="number" step="${type === 'integer' ? '1' : 'any'}" ${attributes} value="${shown}">`;
  }
}

function textarea(name: string, label: string, value: string): string {
  return `<label for="${name}">${label}</label><textarea id="${name}" name="${name}" rows="6">${escapeHtml(value)}</textarea>`;
}

const jsonOf = ({ reviewType, payload }: ReviewDetail) =>
  reviewType === 'review' ? JSON.stringify(payload, null, 2) : '';

/** What was filled in, as the schema has it; `undefined`: nothing. `problem`: it cannot be read. */
export function dataOf(
  review: ReviewDetail,
  decision: string,
  sent: JsonObject,
): { readonly data: Json | undefined } | { readonly problem: string } {
  if (decision === 'rejected') return { data: undefined };
  const fields = fieldsOf(review);
  if (fields === null) return jsonData(sent.json);
  if (fields.length === 0) return { data: undefined };
  const data: { [name: string]: Json } = {};
  for (const { name, type } of fields) {
    const text = sent[`${FIELD}${name}`];
    if (type === 'boolean') data[name] = text === 'true';
    else if (typeof text === 'string' && text !== '')
      data[name] = type === 'number' || type === 'integer' ? numberOf(text) : text.replaceAll('\r\n', '\n');
  }
  return { data };
}

/** What is none stays a text, which the schema refuses. */
function numberOf(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) && !(Number.isInteger(value) && !Number.isSafeInteger(value)) ? value : text;
}

function jsonData(text: Json | undefined): ReturnType<typeof dataOf> {
  if (typeof text !== 'string' || text.trim() === '') return { data: undefined };
  const parsed = parseDocument(text, 'json');
  if (parsed.ok) return { data: parsed.value as Json };
  return { problem: `The data are not JSON: ${parsed.problems[0]?.message ?? ''}` };
}
