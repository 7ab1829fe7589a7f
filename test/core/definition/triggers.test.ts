import { describe, expect, test } from 'vitest';
import { definitionSchema } from '../../../src/core/definition/schema/document.ts';
import { type Doc, hintsOf, problemsOf, reads, task, valid, warningsOf, workflow } from './documents.ts';

const withTriggers = (...triggers: unknown[]) => workflow([task('a')], { triggers });
const schedule = (more: Doc = {}) => ({
  type: 'schedule',
  name: 'daily',
  cronExpression: '0 9 * * *',
  ...more,
});
const event = (more: Doc = {}) => ({ type: 'event', event: 'order.created', ...more });
const webhook = (more: Doc = {}) => ({ type: 'webhook', path: 'orders', ...more });

describe('triggers of a definition', () => {
  test('are stored as they are written', () => {
    const triggers = [
      schedule({
        timezone: 'Europe/Paris',
        input: { a: '{{ not a template }}' },
        overlapPolicy: 'buffer_one',
        catchupPolicy: 'all',
        catchupWindowSeconds: 60,
        jitterSeconds: 5,
        startAt: '2027-01-01T00:00:00Z',
        endAt: '2028-01-01T00:00:00+02:00',
        pauseOnFailure: true,
        priority: 3,
      }),
      webhook({
        verifier: 'github',
        secret: '{{ secrets.HOOK }}',
        filters: [{ fieldPath: 'body.x', operator: 'exists' }],
      }),
      event({ when: 'payload.total > 10', inputMapping: { id: '{{ event.payload.id }}' }, 'x-note': 1 }),
    ];
    expect(valid(withTriggers(...triggers)).definition.triggers).toEqual(triggers);
  });

  test.each<[string, unknown[], string[]]>([
    ['an unknown type', [{ type: 'cron' }], ['/triggers/0/type invalid_value']],
    ['no type', [{ name: 'x' }], ['/triggers/0/type required']],
    ['no object', ['daily'], ['/triggers/0 type']],
    ['a field of another type', [schedule({ path: 'x' })], ['/triggers/0/path unknown_field']],
    ['a missing name', [{ type: 'schedule', cronExpression: '* * * * *' }], ['/triggers/0/name required']],
    [
      'a cron expression of six fields',
      [schedule({ cronExpression: '0 0 9 * * *' })],
      ['/triggers/0/cronExpression cron'],
    ],
    ['a zone that is none', [schedule({ timezone: 'local' })], ['/triggers/0/timezone timezone']],
    [
      'an instant without a zone',
      [schedule({ startAt: '2027-01-01T00:00:00' })],
      ['/triggers/0/startAt format'],
    ],
    ['a day that is none', [schedule({ endAt: '2027-02-31T25:00:00Z' })], ['/triggers/0/endAt format']],
    [
      'an end before its start',
      [schedule({ startAt: '2028-01-01T00:00:00Z', endAt: '2027-01-01T00:00:00Z' })],
      ['/triggers/0/endAt range'],
    ],
    [
      'an unknown policy',
      [schedule({ overlapPolicy: 'queue' })],
      ['/triggers/0/overlapPolicy invalid_value'],
    ],
    ['an event type with a blank', [event({ event: 'order created' })], ['/triggers/0/event pattern']],
    ['a condition that cannot be read', [event({ when: 'payload.x >' })], ['/triggers/0/when expression']],
    ['a condition that is no truth value', [event({ when: 5 })], ['/triggers/0/when expression']],
    ['a name that events do not have', [event({ when: 'input.x > 1' })], ['/triggers/0/when expression']],
    [
      'a member that events do not have',
      [event({ when: 'event.body.x > 1' })],
      ['/triggers/0/when excluded_path'],
    ],
    [
      'secrets in a mapping',
      [event({ inputMapping: '{{ secrets.X }}' })],
      ['/triggers/0/inputMapping expression'],
    ],
    [
      'variables in a mapping',
      [event({ inputMapping: '{{ variables.x }}' })],
      ['/triggers/0/inputMapping expression'],
    ],
    [
      'two schedules of one name',
      [schedule(), event(), schedule({ cronExpression: '* * * * *' })],
      ['/triggers/2/name duplicate_trigger'],
    ],
    ['two webhooks at one path', [webhook(), webhook()], ['/triggers/1/path duplicate_trigger']],
    [
      'two event triggers of one type without names',
      [event(), event({ when: true })],
      ['/triggers/1/name duplicate_trigger'],
    ],
  ])('%s is refused', (_title, triggers, expected) => {
    expect(problemsOf(withTriggers(...triggers))).toEqual(expected);
  });

  test('a schedule and an event trigger may have the same name, and two event triggers the same type', () => {
    expect(
      problemsOf(withTriggers(schedule({ name: 'x' }), event({ name: 'x' }), event({ name: 'y' }))),
    ).toEqual([]);
  });

  test('the input of a schedule must fit the inputSchema, with the defaults filled in', () => {
    const more = {
      inputSchema: { type: 'object', required: ['q', 'depth'], properties: { q: { type: 'string' } } },
      defaultParameters: { depth: 1 },
    };
    const problems = (...triggers: unknown[]) => problemsOf(workflow([task('a')], { ...more, triggers }));
    expect(problems(schedule({ input: { q: 'why' } }))).toEqual([]);
    expect(problems(schedule({ input: { q: 1 } }), schedule({ name: 'other' }))).toEqual([
      '/triggers/0/input/q type',
      '/triggers/1/input required',
    ]);
  });

  test('all problems are told at once, those of triggers beside those of tasks', () => {
    expect(
      problemsOf(
        workflow([task('a', ['b'])], { triggers: [schedule({ cronExpression: 'x' }), event({ when: '>' })] }),
      ),
    ).toEqual([
      '/triggers/0/cronExpression cron',
      '/triggers/1/when expression',
      '/nodes/0/dependsOn/0 unknown_task',
    ]);
  });

  test('names with underscores are rewritten, each with a warning', () => {
    const document = withTriggers(
      { type: 'schedule', name: 'n', cron_expression: '* * * * *' },
      webhook({ filters: [{ field_path: 'body.x', operator: 'exists', logic_group: 'a' }] }),
    );
    expect(valid(document).definition.triggers).toEqual([
      { type: 'schedule', name: 'n', cronExpression: '* * * * *' },
      webhook({ filters: [{ fieldPath: 'body.x', operator: 'exists', logicGroup: 'a' }] }),
    ]);
    expect(warningsOf(document)).toEqual([
      '/triggers/0/cron_expression rewritten',
      '/triggers/1/filters/0/field_path rewritten',
      '/triggers/1/filters/0/logic_group rewritten',
    ]);
    expect(problemsOf(withTriggers({ type: 'schedule', name: 'n', cron_expression: 'x' }))).toEqual([
      '/triggers/0/cron_expression cron',
    ]);
  });

  test('a typo gets the nearest name as hint', () => {
    expect(hintsOf(withTriggers(event({ input: 1 })))).toEqual([
      ['/triggers/0/input', 'did you mean "inputMapping"?'],
    ]);
  });

  test('a task reads what triggered it', () => {
    expect(problemsOf(workflow([reads('a', '{{ trigger.event }} {{ trigger.eventId }}')]))).toEqual([]);
    expect(problemsOf(workflow([reads('a', '{{ trigger.evnt }}')]))).toEqual([
      '/nodes/0/config/output excluded_path',
    ]);
  });

  test('the schema for editors describes every field of every kind', () => {
    const text = JSON.stringify(definitionSchema());
    for (const name of ['cronExpression', 'inputMapping', 'overlapPolicy', 'verifier'])
      expect(text).toContain(`"${name}":{`);
  });
});

describe('variables', () => {
  test.each<[string, string[]]>([
    ['{{ variables.x }}', []],
    ['{{ variables.x.y[0] }}', []],
    ["{{ variables['x'] }}", []],
    ['{{ variables }}', ['/nodes/0/config/output out_of_scope']],
    ['{{ variables[input.name] }}', ['/nodes/0/config/output out_of_scope']],
    ['{{ $.variables.* }}', ['/nodes/0/config/output out_of_scope']],
  ])('%s is read by its name only', (text, expected) => {
    expect(problemsOf(workflow([reads('a', text)]))).toEqual(expected);
  });

  test('are read in the output of the definition too', () => {
    expect(problemsOf(workflow([task('a')], { output: '{{ variables.x }}' }))).toEqual([]);
  });
});

const dollar = (template: string): string => `$${template}`;

describe('what is allowed and mostly not meant', () => {
  const warned = (more: Doc) => warningsOf(withTriggers(webhook(more)));

  test.each(['secret', 'basic', 'bearer'])('authType %s beside a verifier is warned of', (authType) => {
    expect(warned({ verifier: 'github', authType })).toEqual(['/triggers/0/authType two_proofs']);
  });

  test('one of the two is not', () => {
    for (const more of [
      { verifier: 'github' },
      { verifier: 'github', authType: 'none' },
      { authType: 'secret' },
    ])
      expect(warned(more)).toEqual([]);
  });

  test('hmac without the header that names a delivery is warned of', () => {
    expect(warned({ verifier: 'hmac' })).toEqual(['/triggers/0/options no_delivery_id']);
    expect(warned({ verifier: 'hmac', options: { signatureHeader: 'x-sign' } })).toEqual([
      '/triggers/0/options no_delivery_id',
    ]);
    expect(warned({ verifier: 'hmac', options: { deliveryIdHeader: 'x-id' } })).toEqual([]);
  });

  test('a schedule that has ended is refused where the time is told', () => {
    const ended = withTriggers(schedule({ endAt: '2027-01-01T00:00:00Z' }));
    const at = (text: string) => problemsOf(ended, { nowMs: Date.parse(text) });
    expect(at('2027-01-01T00:00:00Z')).toEqual(['/triggers/0/endAt range']);
    expect(at('2026-12-31T23:59:59Z')).toEqual([]);
    expect(problemsOf(ended)).toEqual([]);
  });

  test('a "$" before a template is warned of, wherever it stands', () => {
    const document = workflow(
      [
        reads('a', {
          list: [`x ${dollar('{{ input.x }}')}`, dollar('\\{{ input.x }}'), '{{ "$" }}{{ input.x }}'],
        }),
      ],
      {
        output: dollar('{{ tasks.a.output }}'),
        triggers: [event({ inputMapping: { q: dollar('{{ payload.q }}') } })],
      },
    );
    expect(warningsOf(document).sort()).toEqual([
      '/nodes/0/config/output/list/0 dollar_template',
      '/output dollar_template',
      '/triggers/0/inputMapping/q dollar_template',
    ]);
  });
});
