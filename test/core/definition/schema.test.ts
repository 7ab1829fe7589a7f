import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../src/core/definition/reading/parse.ts';
import { BUILTIN_TASK_TYPES } from '../../../src/core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../../src/core/definition/schema/document.ts';
import { gate, task, typed, valid, warningsOf, workflow } from './documents.ts';

const FOLDER = new URL('../../../examples/', import.meta.url);
const examples = readdirSync(FOLDER)
  .filter((name) => /\.(yaml|yml|json)$/.test(name) && !/\.(mocks|test|input)\./.test(name))
  .map((name) => {
    const parsed = parseDocument(readFileSync(new URL(name, FOLDER), 'utf8'));
    if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed.problems)}`);
    return [name, parsed.value] as const;
  });

describe('examples', () => {
  test('there are some', () => {
    expect(examples.length).toBeGreaterThan(1);
  });
  test.each(examples)('%s is valid without warnings', (_name, document) => {
    expect(valid(document).plan.nodes.length).toBeGreaterThan(1);
    expect(warningsOf(document)).toEqual([]);
  });
});

describe('the schema for editors', () => {
  const schema = definitionSchema();
  const validate = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(schema);

  test('is a JSON Schema 2020-12 that describes each field', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    for (const [name, field] of Object.entries(schema.properties as Record<string, { description?: string }>))
      expect(field.description, name).toMatch(/\w/);
  });

  test.each(examples)('accepts %s', (_name, document) => {
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each<[string, unknown, boolean]>([
    ['a gate', workflow([gate('g'), task('a', [{ taskId: 'g', branch: 'a' }])]), true],
    ['a template for a number', workflow([typed('w', 'wait', { seconds: '{{ input.s }}' })]), true],
    ['a text for a number', workflow([typed('w', 'wait', { seconds: 'five' })]), false],
    ['an unknown field', workflow([task('a')], { nme: 1 }), false],
    ['an unknown config field', workflow([typed('w', 'wait', { second: 1 })]), false],
    ['what is not built', workflow([task('a')], { budget: {} }), false],
    ['a type that is not built', workflow([typed('a', 'sub_workflow', {})]), false],
    ['a broken part', workflow([typed('p', 'parallel', { branches: { x: { taskTyp: 1 } } })]), false],
  ])('%s: %s', (_title, document, isValid) => {
    expect(validate(document)).toBe(isValid);
  });

  test('knows the types of the user', () => {
    const rule = {
      type: 'mail',
      status: 'built' as const,
      configSchema: { type: 'object', required: ['to'] },
    };
    const own = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(
      definitionSchema(new Map([...BUILTIN_TASK_TYPES, ['mail', rule]])),
    );
    expect(own(workflow([typed('a', 'mail', { to: 'x' })]))).toBe(true);
    expect(own(workflow([typed('a', 'mail', {})]))).toBe(false);
  });
});
