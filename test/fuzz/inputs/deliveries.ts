// Deliveries at webhooks that filter and map, answers to callbacks, and schedules with odd times and heavy inputs.
import * as fc from 'fast-check';
import { type Input, JSON_TYPE, post, type Step, type Surroundings } from './input.ts';
import { type Arb, json, mutated, sizeUpTo, text } from './texts.ts';

const BODY_BYTES = 1_050_000;

const form: Arb<string> = fc.oneof(
  sizeUpTo(BODY_BYTES).map((n) => 'a=1&'.repeat(n / 4)),
  sizeUpTo(BODY_BYTES).map((n) => Array.from({ length: n / 12 }, (_, i) => `n${i}=%41`).join('&')),
  sizeUpTo(BODY_BYTES).map((n) => `a=${'%'.repeat(n)}`),
  sizeUpTo(BODY_BYTES).map((n) => `a=${'+%C3%A9'.repeat(n / 7)}`),
);
const bodies: Arb<readonly [string, string]> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('application/json'), json(BODY_BYTES)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('application/json'), mutated(json(BODY_BYTES))) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('application/x-www-form-urlencoded'), form) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('text/plain', 'application/xml', 'text/html; charset=latin1', ''),
      text(BODY_BYTES),
    ),
  },
);

/** Events of the type that the attacker's workflow waits for. */
const events: Arb<Input> = json(BODY_BYTES).map((payload) => ({
  kind: 'delivery',
  steps: [post('/v1/events', `{"type":"fuzz","payload":${payload}}`)],
}));

export function deliveryInputs(surroundings: Surroundings): Arb<Input> {
  return fc.oneof({ weight: 4, arbitrary: hookInputs(surroundings) }, { weight: 1, arbitrary: events });
}

function hookInputs({ hooks }: Surroundings): Arb<Input> {
  return fc
    .tuple(fc.constantFrom(...hooks, 'nobody/none'), bodies, text(2_000), text(200), fc.boolean())
    .map(([path, [type, body], query, id, isAsked]) => {
      const step: Step = {
        ...{ method: 'POST', path: `/hooks/${path}`, body, isAnonymous: true },
        headers: {
          ...(type !== '' && { 'content-type': type }),
          'x-webhook-secret': 'the-secret-of-the-fuzz',
          'x-delivery-id': encodeURIComponent(id.toWellFormed()),
        },
      };
      return {
        kind: 'delivery' as const,
        steps: [
          isAsked ? { ...step, path: `${step.path}?q=${encodeURIComponent(query.toWellFormed())}` } : step,
        ],
      };
    });
}

/** Starts a call that is answered later, and answers it. */
export function callbackInputs(n: number): Arb<Input> {
  const answers = fc.oneof(
    json(BODY_BYTES).map((output) => `{"output":${output}}`),
    fc
      .tuple(text(5_000), json(BODY_BYTES))
      .map(
        ([message, details]) =>
          `{"error":{"code":"bad","message":${JSON.stringify(message)},"details":${details}}}`,
      ),
    fc.constantFrom('{"heartbeat":true}', '{}', '{"output":1,"error":null}'),
    json(10_000),
    mutated(json(1_000).map((output) => `{"output":${output}}`)),
  );
  return fc.array(answers, { minLength: 1, maxLength: 3 }).map((all) => ({
    kind: 'callback' as const,
    steps: [
      post('/v1/workflows/fuzz-callback/executions', JSON.stringify({ input: { case: n } })),
      ...all.map(
        (body): Step => ({
          method: 'POST',
          path: '/v1/callbacks/{token}',
          headers: JSON_TYPE,
          body,
          isAnonymous: true,
        }),
      ),
    ],
  }));
}

const FIELDS = [
  '*',
  '0',
  '5',
  '*/7',
  '1-5',
  '59',
  '0,1,2,3',
  'L',
  'MON-FRI',
  '31',
  '29',
  '2',
  '*/0',
  '60',
  'x',
  '0-59/1',
];
const cron: Arb<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.constantFrom(...FIELDS), { minLength: 5, maxLength: 5 })
      .map((all) => all.join(' ')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0 0 29 2 *',
      '0 0 30 2 *',
      '0 0 29 2 1',
      '* * * * *',
      '@daily',
      '30 2 31 3 0',
    ),
  },
  { weight: 1, arbitrary: sizeUpTo(5_000).map((n) => `${'0,'.repeat(n)}0 * * * *`) },
  { weight: 1, arbitrary: text(400) },
);
const zone = fc.constantFrom(
  'UTC',
  'Europe/Paris',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Nowhere/Else',
  '+25:00',
  'Pacific/Apia',
);
const instant = fc.oneof(
  fc.constantFrom(
    '2027-01-01T00:00:00Z',
    '1000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2027-02-30T00:00:00Z',
  ),
  text(60),
);

export function scheduleInputs(n: number, { ids }: Surroundings): Arb<Input> {
  const timing = fc.record(
    {
      cronExpression: cron,
      timezone: zone,
      startAt: instant,
      endAt: instant,
      jitterSeconds: fc.nat({ max: 4_000 }),
    },
    { requiredKeys: ['cronExpression'] },
  );
  return fc
    .tuple(timing, json(900_000), fc.nat({ max: 3 }), fc.constantFrom(...ids), fc.tuple(instant, instant))
    .map(([times, input, way, id, [from, to]]) => {
      const whole = JSON.stringify({
        workflowId: 'fuzz-hooked',
        name: `s${n % 30}`,
        catchupPolicy: 'all',
        ...times,
      });
      const steps: Step[] =
        way === 0
          ? [post('/v1/schedules', `${whole.slice(0, -1)},"input":${input}}`)]
          : way === 1
            ? [post(`/v1/schedules/${id}/backfill`, JSON.stringify({ from, to }))]
            : [post('/v1/schedules/preview', JSON.stringify({ ...times, count: 100 }))];
      return { kind: 'schedule' as const, steps };
    });
}
