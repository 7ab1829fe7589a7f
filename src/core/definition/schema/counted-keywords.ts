// Keywords of our own for compiled schemas: the counter that every part of a schema begins with, and `uniqueItems`, `enum` and
// `const`, which Ajv would answer by comparing everything with everything.
import { _, type Ajv2020, type CodeKeywordDefinition, type KeywordCxt, Name } from 'ajv/dist/2020.js';
import type { Json } from '../../json.ts';
import { canonicalKey, isScalar } from './canonical-key.ts';
import { meter, spendSteps, throwEnough, throwUsedUp } from './steps.ts';

/** Keyword of the counter; its value is a {@link Cost}. */
export const COUNTER = 'dagwrightCount';
/** The last keyword of each part of a schema: counts its errors where it is a branch, or calls a function. */
export const RETURN = 'dagwrightReturn';
/** Stands beside `unevaluatedProperties`, and is applied before it. */
export const EVALUATED = 'dagwrightEvaluated';
/** Steps of each application, of a name of an object, of a character of a text (in sixteenths), of an element of a list. */
export type Cost = readonly [each: number, perName: number, perChar: number, perItem: number];

/** An error object, and the texts in it. */
const ERROR_STEPS = 120;
/** Ajv's own names for the number of errors so far in a function, and for their list. */
const ERRORS = new Name('errors');
const LIST = new Name('vErrors');

/** Teaches an Ajv, which has to list all errors, to count. */
export function addCountedKeywords(ajv: Ajv2020): void {
  for (const keyword of ['uniqueItems', 'enum', 'const']) ajv.removeKeyword(keyword);
  ajv.addKeyword(UNIQUE_ITEMS);
  const members: Membership[] = [];
  ajv.addKeyword(enumKeyword(members));
  ajv.addKeyword(constKeyword(members));
  ajv.addKeyword({ keyword: COUNTER, before: '$ref', schemaType: 'array', code: countCode });
  ajv.addKeyword({ keyword: RETURN, post: true, schemaType: 'boolean', code: returnCode });
  ajv.addKeyword({
    keyword: EVALUATED,
    type: 'object',
    before: 'unevaluatedProperties',
    schemaType: 'boolean',
    code: evaluatedCode,
  });
  for (const keyword of ERRORS_OF_NAMES) countErrorsOf(keyword, ajv);
}

/** These may make an error for each of thousands of names before the next part of the schema counts. */
const ERRORS_OF_NAMES = [
  'additionalProperties',
  'unevaluatedProperties',
  'required',
  'dependentRequired',
  'dependencies',
];

function countErrorsOf(keyword: string, ajv: Ajv2020): void {
  const rule = ajv.RULES.all[keyword];
  if (typeof rule !== 'object') throw new Error(`Ajv does not know ${keyword}`);
  const { error } = rule.definition;
  const params = error?.params;
  if (error === undefined || typeof params !== 'function') throw new Error(`${keyword} has no errors`);
  // The definition is this instance's own.
  rule.definition.error = {
    ...error,
    params: (cxt) => _`${cxt.gen.scopeValue('func', { ref: paid })}(${params(cxt)})`,
  };
}

function paid(params: object): object {
  spendSteps(ERROR_STEPS);
  return params;
}

/** Errors that there were when a part of a schema began. */
const errorsBefore = new WeakMap<object, Name>();

// Errors of a branch (of anyOf, say) decide nothing yet: where a branch calls a function, the meter knows.
function countCode({ gen, data, schema, parentSchema, it }: KeywordCxt): void {
  const [each, perName, perChar, perItem] = schema as Cost;
  const counted = _`${gen.scopeValue('obj', { ref: meter })}`;
  const left = _`${counted}.left`;
  gen.code(_`${left} -= ${each}`);
  if (perName > 0 || perChar > 0 || perItem > 0)
    gen.code(
      _`${left} -= ${gen.scopeValue('func', { ref: sizeSteps })}(${data}, ${perName}, ${perChar}, ${perItem})`,
    );
  // Errors and calls hold the pointer to the value: its names are escaped for each.
  for (const part of it.dataPathArr)
    if (typeof part !== 'number' && Object.keys(part.names).length > 0)
      gen.code(_`${left} -= ${gen.scopeValue('func', { ref: nameSteps })}(${part})`);
  gen.if(_`${ERRORS} > ${counted}.errors`, () =>
    gen.code(_`${left} -= ${ERROR_STEPS} * (${ERRORS} - ${counted}.errors)`),
  );
  gen.code(_`${counted}.errors = ${ERRORS}`);
  gen.if(_`${left} < 0`, () => gen.code(_`${gen.scopeValue('func', { ref: throwUsedUp })}()`));
  if (it.compositeRule !== true)
    gen.if(_`${ERRORS} > ${counted}.mostErrors && ${counted}.branches === 0`, () =>
      gen.code(_`${gen.scopeValue('func', { ref: throwEnough })}(${LIST})`),
    );
  else if ('$ref' in parentSchema) gen.code(_`${counted}.branches++`);
  if (RETURN in parentSchema) errorsBefore.set(it, gen.const('before', ERRORS));
}

/** The errors of a branch are forgotten before another part counts; those of a call were copied to those that were there. */
function returnCode({ gen, parentSchema, it }: KeywordCxt): void {
  const before = errorsBefore.get(it);
  const isCall = '$ref' in parentSchema;
  if (before === undefined || !(isCall || it.compositeRule === true)) return;
  const counted = _`${gen.scopeValue('obj', { ref: meter })}`;
  gen.code(_`${counted}.left -= ${ERROR_STEPS} * (${ERRORS} - ${before})`);
  gen.code(_`${counted}.errors = ${ERRORS}`);
  if (!isCall) return;
  gen.code(_`${counted}.left -= ${ERRORS} >> 1`);
  if (it.compositeRule === true) gen.code(_`${counted}.branches--`);
}

/** Ajv would compare each name of the value with each that was evaluated; a look-up is enough. */
function evaluatedCode({ gen, it }: KeywordCxt): void {
  if (it.props === undefined || it.props === true || it.props instanceof Name) return;
  const ref: unknown = Object.assign(Object.create(null), it.props);
  it.props = gen.const('props', _`${gen.scopeValue('obj', { ref })}`);
}

function sizeSteps(value: Json, perName: number, perChar: number, perItem: number): number {
  if (typeof value === 'string') return (value.length * perChar) >> 4;
  if (Array.isArray(value)) return value.length * perItem;
  if (typeof value !== 'object' || value === null || perName === 0) return 0;
  const count = Object.keys(value).length;
  // Large objects are tables that are sorted whenever their names are listed.
  return count < 64 ? count * perName : 40 * count * perName;
}

function nameSteps(name: unknown): number {
  return typeof name === 'string' ? name.length >> 2 : 0;
}

const UNIQUE_ITEMS: CodeKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  error: { message: 'must not repeat an element' },
  code(cxt) {
    if (cxt.schema === true) cxt.fail(_`!${cxt.gen.scopeValue('func', { ref: areUnique })}(${cxt.data})`);
  },
};

type Membership = (value: Json) => boolean;

// All of an Ajv's stand in one list: Ajv copies its own list of what the code takes from outside for each that is added.
const enumKeyword = (members: Membership[]): CodeKeywordDefinition => ({
  keyword: 'enum',
  schemaType: 'array',
  error: {
    message: 'must be equal to one of the allowed values',
    params: ({ schemaCode }) => _`{allowedValues: ${schemaCode}}`,
  },
  code(cxt) {
    const values = cxt.schema as readonly Json[];
    if (values.length === 0) throw new Error('enum must have non-empty array');
    failUnlessMember(cxt, members, values);
  },
});

const constKeyword = (members: Membership[]): CodeKeywordDefinition => ({
  keyword: 'const',
  error: {
    message: 'must be equal to constant',
    params: ({ schemaCode }) => _`{allowedValue: ${schemaCode}}`,
  },
  code(cxt) {
    failUnlessMember(cxt, members, [cxt.schema as Json]);
  },
});

function failUnlessMember(cxt: KeywordCxt, members: Membership[], values: readonly Json[]): void {
  const at = members.push(membership(values)) - 1;
  cxt.fail(_`!${cxt.gen.scopeValue('obj', { ref: members })}[${at}](${cxt.data})`);
}

/** Whether a value is one of these: by one look-up, however many there are. */
function membership(values: readonly Json[]): Membership {
  const scalars = new Set(values.filter(isScalar));
  const keys = new Set(values.filter((value) => !isScalar(value)).map(canonicalKey));
  return (value) => {
    if (isScalar(value)) {
      if (typeof value === 'string') spendSteps(value.length >> 4);
      return scalars.has(value);
    }
    return keys.size > 0 && keys.has(canonicalKey(value));
  };
}

function areUnique(list: readonly Json[]): boolean {
  spendSteps(12 * list.length);
  const scalars = new Set<Json>();
  const keys = new Set<string>();
  for (const element of list) {
    if (!isScalar(element)) keys.add(canonicalKey(element));
    else {
      if (typeof element === 'string') spendSteps(element.length >> 3);
      scalars.add(element);
    }
  }
  return scalars.size + keys.size === list.length;
}
