// Which price holds for a call.
import { describe, expect, test } from 'vitest';
import { compileMatch, withDashedDate } from '../../../src/core/cost/model-match.ts';
import { ALWAYS, type PriceRow, PriceTable } from '../../../src/core/cost/price-table.ts';
import { modelName, providerName } from '../../../src/core/cost/provider-name.ts';

let position = 0;
const row = (model: string, input: string, more: Partial<PriceRow> = {}): PriceRow => ({
  source: 'library',
  provider: 'acme',
  model,
  position: position++,
  match: { starts_with: model },
  effectiveFrom: ALWAYS,
  dailyFrom: null,
  dailyUntil: null,
  rates: { input, output: '1' },
  tiers: [],
  ...more,
});
const own = (model: string, input: string, from = ALWAYS): PriceRow =>
  row(model, input, { source: 'operator', position: 0, match: null, effectiveFrom: from });
const at = (text: string) => new Date(text);
const input = (rows: PriceRow[], model: string, when = '2026-05-05T12:00:00Z', provider = 'acme') =>
  new PriceTable(rows).find(provider, model, at(when))?.rates.input ?? null;

describe('the library', () => {
  test('finds a model by its rule, the first that matches', () => {
    const rows = [row('big-mini', '1'), row('big', '2'), row('big-max', '3')];
    expect(['big', 'big-mini-x2', 'big-max', 'BIG-20250101', 'bi'].map((name) => input(rows, name))).toEqual([
      '2',
      '1',
      '2',
      '2',
      null,
    ]);
  });
  test('finds a model under its provider only', () => {
    expect(input([row('big', '1')], 'big', undefined, 'other')).toBeNull();
  });
  test('takes a name with its provider before it', () => {
    expect(input([row('big', '1')], 'acme/big')).toBe('1');
  });
  test('finds a date that is written otherwise', () => {
    const rows = [row('big', '1', { match: { equals: 'big-2025-09-29' } })];
    expect([input(rows, 'big-20250929'), input(rows, 'big-20259929')]).toEqual(['1', null]);
  });
  test('takes the price that is in effect at the instant of the call', () => {
    const rows = [row('big', '1'), row('big', '2', { effectiveFrom: at('2026-01-01T00:00:00Z') })];
    expect(
      ['2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00Z'].map((when) => input(rows, 'big', when)),
    ).toEqual(['1', '2']);
  });
  test('takes the price of the hours, also over midnight', () => {
    const rows = [row('big', '1'), row('big', '2', { dailyFrom: '22:00:00', dailyUntil: '06:00:00' })];
    const hours = ['21:59:59.999', '22:00:00', '05:59:59.999', '06:00:00'];
    expect(hours.map((hour) => input(rows, 'big', `2026-05-05T${hour}Z`))).toEqual(['1', '2', '2', '1']);
  });
});

describe("the operator's price", () => {
  const library = [row('big', '1', { match: { starts_with: 'big' } })];
  test("goes before the library's, for the name and for other names of the same model", () => {
    const rows = [...library, own('big', '9')];
    expect(['big', 'big-20260101', 'other'].map((name) => input(rows, name))).toEqual(['9', '9', null]);
  });
  test('of a longer name holds for that name only', () => {
    const rows = [...library, own('big-20260101', '9')];
    expect(['big', 'big-20260101'].map((name) => input(rows, name))).toEqual(['1', '9']);
  });
  test('holds from its date on; before it the older one, or the library', () => {
    const rows = [
      ...library,
      own('big', '8', at('2026-02-01T00:00:00Z')),
      own('big', '9', at('2026-03-01T00:00:00Z')),
    ];
    const days = ['2026-01-31T23:59:59Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'];
    expect(days.map((when) => input(rows, 'big', when))).toEqual(['1', '8', '9']);
  });
  test('of all models of a provider holds where there is none of the model', () => {
    const rows = [...library, own('*', '0'), own('huge', '7')];
    expect(['big', 'unheard-of', 'huge'].map((name) => input(rows, name))).toEqual(['0', '0', '7']);
  });
});

test('the list has each model once, as it is priced now', () => {
  const rows = [
    row('b', '1'),
    row('b', '2', { effectiveFrom: at('2030-01-01T00:00:00Z') }),
    row('a', '3'),
    own('a', '4'),
  ];
  const listed = new PriceTable(rows).current(at('2026-01-01T00:00:00Z'));
  expect(listed.map(({ model, rates }) => `${model} ${rates.input}`)).toEqual(['a 4', 'b 1']);
});

test.each([
  ['Gemini', 'google'],
  ['vertex_ai', 'google'],
  ['amazon-bedrock', 'aws'],
  ['xai', 'x-ai'],
  ['openai', 'openai'],
  ['my-openai-proxy', 'my-openai-proxy'],
  ['constructor', 'constructor'],
])('the provider %s is priced as %s', (name, priced) => {
  expect(providerName(name)).toBe(priced);
});

test('a model keeps the part of its name that is no provider', () => {
  expect(modelName('openrouter', 'openai/gpt-4o')).toBe('openai/gpt-4o');
  expect(modelName('openai', ' openai/GPT-4o ')).toBe('gpt-4o');
});

test('rules compare names without case, and patterns are of RE2', () => {
  const rule = compileMatch({
    and: [{ contains: 'Big' }, { not: { regex: '-tts(?:$|-)' } }, { ends_with: '1' }],
  });
  expect(['a-big-v1', 'a-big-tts-1', 'a-big-v2'].map(rule)).toEqual([true, false, false]);
  expect(() => compileMatch({ regex: '(?=a)' })).toThrow();
});

test.each([
  ['m-20250929', 'm-2025-09-29'],
  ['m-20250929-v1', 'm-2025-09-29-v1'],
  ['m-20250231', 'm-20250231'],
  ['m-1', 'm-1'],
])('%s is also %s', (name, dashed) => {
  expect(withDashedDate(name)).toBe(dashed);
});
