import { expect, test } from 'vitest';
import { depth } from '../support/depth.ts';
import { compile, interpret, randomProgram, scriptsOf } from './support/programs.ts';
import { baseSeed, below, pick, randomOf } from './support/random.ts';
import { simulate } from './support/simulate.ts';
import { planOfNodes } from './support/text-plan.ts';

const PROGRAMS = depth(20_000);
const POLICIES = ['continue', 'continue', 'finish_running', 'fail_fast'] as const;

/** Null: the graph ran what the program says; else what differs. */
function difference(seed: number): string | null {
  const random = randomOf(seed);
  const program = randomProgram(random, 2 + below(random, 30), pick(random, [0, 0, 0.05, 0.2]));
  const expected = interpret(program);
  const scripts = scriptsOf(program);
  const failurePolicy = pick(random, POLICIES);
  const plan = planOfNodes(compile(program, random), failurePolicy);
  const { ran, conclusion, stuck } = simulate({
    plan,
    random,
    scriptOf: ({ taskId }) => {
      const { error, branch } = scripts.get(taskId)!;
      if (error != null) return { end: { status: 'failed', errorCode: error } };
      return { end: { status: 'completed', branch: branch ?? null } };
    },
  });
  if (stuck.length > 0) return `stuck: ${stuck.join(' ')}`;
  const status = expected.uncaught ? 'failed' : 'completed';
  if (conclusion?.status !== status) return `${conclusion?.status} instead of ${status}`;
  // Under the other policies an uncaught failure stops what the program would go on with.
  if (expected.uncaught && failurePolicy !== 'continue') return null;
  const wrong = plan.nodes.filter((node) => ran[node.index] !== expected.ran.has(node.taskId));
  const names = wrong.map((node) => node.taskId).join(' ');
  return wrong.length === 0 ? null : `${names} in ${JSON.stringify(program)}`;
}

test(`${PROGRAMS} structured programs run as plain edges exactly what their words say`, () => {
  const first = baseSeed('programs', 1_000_000);
  const failures: string[] = [];
  for (let seed = first; seed < first + PROGRAMS && failures.length < 5; seed++) {
    const found = difference(seed);
    if (found !== null) failures.push(`seed ${seed}: ${found}`);
  }
  expect(failures).toEqual([]);
}, 60_000);
