// What is stored is compiled once for many deliveries, within bounds of what is kept and of what compiling it may cost.
import { expect, it } from 'vitest';
import { compileOnce } from '../../../src/core/expression/compile-once.ts';
import { compileMapping } from '../../../src/core/expression/mapping.ts';
import type { Json } from '../../../src/core/json.ts';

/** Counts how often it compiles. */
function counting() {
  let count = 0;
  const once = compileOnce((mapping: Json) => {
    count++;
    return compileMapping(mapping, '/mapping');
  });
  return { once, compiled: () => count };
}

it('the same text is compiled once, whoever has it', () => {
  const { once, compiled } = counting();
  const mapping = () => ({ a: '{{ input.a }}', b: [1, '{{ input.b }}'] });
  const [first, again] = [once(mapping()), once(mapping())];
  expect(compiled()).toBe(1);
  expect(first).toEqual({ ok: true, value: expect.anything() });
  expect(again).toEqual(first);
  once({ ...mapping(), c: 1 });
  expect(compiled()).toBe(2);
});

it('what cannot be compiled is said each time, and not kept', () => {
  const { once, compiled } = counting();
  for (let n = 0; n < 3; n++) expect(once('{{ nobody( }}')).toMatchObject({ ok: false });
  expect(compiled()).toBe(3);
});

it('what is kept is bounded: the text that was asked for longest ago goes, and a long one pushes nothing out', () => {
  const { once, compiled } = counting();
  const long = (n: number) => ({ [`n${n}`]: `{{ input.a }}${'x'.repeat(5_000)}` });
  once('{{ input.first }}');
  once(`{{ input.a }}${'x'.repeat(50_000)}`);
  once('{{ input.first }}');
  expect(compiled()).toBe(2);
  for (let n = 0; n < 30; n++) once(long(n));
  once('{{ input.first }}');
  expect(compiled()).toBe(2 + 30 + 1);
});

it('templates by the ten thousand are refused before all of them are read; hundreds are taken', () => {
  const { once } = counting();
  const templates = (count: number): Json => Array.from({ length: count }, (_, n) => `{{ input.a${n} }}`);
  expect(once(templates(1_000))).toMatchObject({ ok: true });
  expect(once(templates(60_000))).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringMatching(/^the templates, patterns and schemas .* take too much/) }],
  });
});
