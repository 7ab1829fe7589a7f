// Whole definitions as JSON and YAML: wide, deep, long, full of problems, cut and mutated, up to and beyond the limits.
import * as fc from 'fast-check';
import { type Input, JSON_TYPE, run, type Step } from './input.ts';
import { type Arb, json, mutated, sizeUpTo, text } from './texts.ts';

const NODES = 12_000;
const BYTES = 10_500_000;
const YAML_TYPE = { 'content-type': 'application/yaml' } as const;

const pass = (taskId: string, dependsOn: unknown[] = [], more: object = {}) => ({
  ...{ taskId, taskType: 'transformation', dependsOn, config: { output: '$.input' }, ...more },
});
const whole = (nodes: readonly unknown[], more: object = {}) =>
  JSON.stringify({ workflowId: '@ID@', nodes, ...more });

/** JSON texts of definitions that are sound, or nearly. */
const shapes: Arb<string> = fc.oneof(
  sizeUpTo(NODES).map((n) =>
    whole(Array.from({ length: n }, (_, i) => pass(`t${i}`, i === 0 ? [] : [`t${i - 1}`]))),
  ),
  sizeUpTo(NODES).map((n) =>
    whole(Array.from({ length: n }, (_, i) => pass(`t${i}`, i === 0 ? [] : ['t0']))),
  ),
  // Layers of 20, each node after all of the layer before.
  sizeUpTo(3_000).map((n) =>
    whole(
      Array.from({ length: n }, (_, i) => {
        const layer = Math.floor(i / 20) - 1;
        return pass(`t${i}`, layer < 0 ? [] : Array.from({ length: 20 }, (_, k) => `t${layer * 20 + k}`));
      }),
    ),
  ),
  // Branches that join again, rules and failures on their edges.
  fc
    .tuple(sizeUpTo(4_000), fc.constantFrom('success', 'failure', 'any', 'skipped', 'nonsense'))
    .map(([n, on]) =>
      whole(
        Array.from({ length: n }, (_, i) =>
          i % 3 === 0
            ? {
                taskId: `t${i}`,
                taskType: 'condition',
                dependsOn: i === 0 ? [] : [`t${i - 1}`],
                config: { expression: 'input.x' },
              }
            : pass(`t${i}`, [
                i % 3 === 1 ? { taskId: `t${i - 1}`, branch: 'true' } : { taskId: `t${i - 2}`, on },
              ]),
        ),
      ),
    ),
  // A circle.
  sizeUpTo(NODES).map((n) => whole(Array.from({ length: n }, (_, i) => pass(`t${i}`, [`t${(i + 1) % n}`])))),
  // The same problem everywhere.
  fc
    .tuple(
      sizeUpTo(NODES),
      fc.constantFrom<object>(
        { taskType: 'nothing' },
        { retry: { maxAttempts: -1 } },
        { config: { output: '{{ nobody.x }}' } },
        { config: { output: '{{ tasks.none.output }}' } },
        { dependsOn: ['nobody'] },
        { taskId: 'same' },
        { unknown: 1 },
        { timeoutSeconds: 'x' },
        { config: { output: '{{ 1 +' } },
      ),
    )
    .map(([n, wrong]) => whole(Array.from({ length: n }, (_, i) => pass(`t${i}`, [], wrong)))),
  json(BYTES / 2).map(
    (output) =>
      `{"workflowId":"@ID@","nodes":[{"taskId":"a","taskType":"transformation","config":{"output":${output}}}]}`,
  ),
  json(BYTES / 4).map((nodes) => `{"workflowId":"@ID@","nodes":${nodes}}`),
  fc
    .tuple(text(20_000), json(BYTES / 8))
    .map(([name, given]) => `{"workflowId":"@ID@",${JSON.stringify(name)}:${given},"nodes":[]}`),
  sizeUpTo(3_000).map((n) =>
    whole([pass('a')], {
      triggers: Array.from({ length: n }, (_, i) => ({
        type: 'event',
        name: `e${i}`,
        event: `e${i}`,
        when: `payload.x == ${i}`,
      })),
    }),
  ),
  sizeUpTo(300).map((depth) =>
    whole([
      Array.from({ length: depth }).reduce<object>(
        (task) => ({ taskId: 'a', taskType: 'parallel', config: { items: [1], task } }),
        { taskType: 'transformation', config: { output: 1 } },
      ),
    ]),
  ),
  fc
    .tuple(sizeUpTo(200_000), fc.constantFrom('{{ input.a }}', '{{', '{{ 1 }}x'))
    .map(([n, unit]) =>
      whole([pass('a', [], { config: { output: unit.repeat(Math.ceil(n / unit.length)) } })]),
    ),
);

/** YAML that JSON does not have. */
const yaml: Arb<string> = fc.oneof(
  sizeUpTo(40).map(
    (n) =>
      `workflowId: "@ID@"\na0: &a0 [x]\n${Array.from({ length: n }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n')}\nnodes: []\n`,
  ),
  sizeUpTo(200_000).map((n) => `workflowId: "@ID@"\nnodes: ${'['.repeat(n)}`),
  sizeUpTo(60_000).map(
    (n) =>
      `workflowId: "@ID@"\nnodes:\n${Array.from({ length: n }, (_, i) => `${' '.repeat(Math.min(i, 900))}- `).join('\n')}`,
  ),
  sizeUpTo(100_000).map((n) => `workflowId: "@ID@"\nnodes: [${'{a: 1},'.repeat(n)}]\n`),
  sizeUpTo(BYTES).map((n) => `workflowId: "@ID@"\nname: |\n  ${'text '.repeat(n / 5)}\nnodes: []\n`),
  sizeUpTo(BYTES).map((n) => `# ${'#'.repeat(n)}\nworkflowId: "@ID@"\nnodes: []\n`),
  sizeUpTo(50_000).map((n) => '---\n'.repeat(n)),
  sizeUpTo(20_000).map((n) => `workflowId: "@ID@"\n? ${'? '.repeat(n)}\n`),
  fc.constantFrom(
    'a: !!js/function x',
    '<<: *a',
    'a: &a *a',
    '\tworkflowId: x',
    '%YAML 9.9\n---\na',
    '!!binary |\n  AA',
    'a: 0x7fffffffffffffffffff',
    '&a : b',
  ),
  sizeUpTo(30_000).map(
    (n) =>
      `workflowId: "@ID@"\nnodes:\n${Array.from({ length: n }, (_, i) => `  - { taskId: t${i}, taskType: transformation, config: { output: ${i} } }`).join('\n')}\n`,
  ),
  text(BYTES / 4),
);

export function definitionInputs(n: number): Arb<Input> {
  const id = `fuzz-definition-${n % 10}`;
  const documents = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(shapes, fc.constantFrom(JSON_TYPE, JSON_TYPE, YAML_TYPE)) },
    { weight: 2, arbitrary: fc.tuple(yaml, fc.constant(YAML_TYPE)) },
    {
      weight: 2,
      arbitrary: fc.tuple(mutated(fc.oneof(shapes, yaml)), fc.constantFrom(JSON_TYPE, YAML_TYPE)),
    },
  );
  return fc.tuple(documents, fc.nat({ max: 3 })).map(([[document, headers], way]) => {
    const body = document.replaceAll('@ID@', id);
    const step: Step =
      way < 2
        ? { method: 'POST', path: '/v1/workflows/validate', headers, body }
        : { method: 'PUT', path: `/v1/workflows/${id}`, headers, body };
    // What is large is not run: it would only be long.
    const isRun = way === 3 && body.length < 100_000;
    return { kind: 'definition' as const, steps: isRun ? [step, run(id, '{"x":true}')] : [step] };
  });
}
