// Random structured programs, a direct interpreter for them, and their translation to plain edges without triggerRule.
// The interpreter knows nothing of graphs: it is what the join rule is measured against.
import type { Dependency, NodeDefinition } from '../../../src/core/definition/model.ts';
import { below, pick, type Random, shuffled } from './random.ts';
import { taskNode } from './text-plan.ts';

export type Statement =
  | { readonly kind: 'task'; readonly id: string; readonly error: string | null }
  | { readonly kind: 'sequence' | 'parallel'; readonly parts: readonly Statement[] }
  /** Goes on only if `chosen` is `yes`. */
  | { readonly kind: 'gate'; readonly id: string; readonly chosen: string }
  /** `if` and `switch`; `rest` (an `else`) is a way that an edge names, too. Without a way for `chosen`: goes on. */
  | {
      readonly kind: 'fork';
      readonly id: string;
      readonly chosen: string;
      readonly ways: readonly { readonly branch: string; readonly body: Statement | null }[];
      readonly exhaustive: boolean;
    }
  /** Tasks in sequence; the first that fails is caught by the catches that match. Goes on after them if `rejoins`. */
  | {
      readonly kind: 'try';
      readonly body: readonly (Statement & { kind: 'task' })[];
      readonly catches: readonly { readonly errors: readonly string[] | null; readonly body: Statement }[];
      readonly rejoins: boolean;
    };

export type Outcome = 'ok' | 'skipped' | 'failed';

const CODES = ['timeout', 'http_404', 'http_500', 'rate_limited'];

/** A program of about `size` tasks. `failureRate`: of each task. */
export function randomProgram(random: Random, size: number, failureRate: number): Statement {
  let next = 0;
  const id = (): string => `t${next++}`;
  const task = (rate: number): Statement & { kind: 'task' } => ({
    kind: 'task',
    id: id(),
    error: random() < rate ? pick(random, CODES) : null,
  });
  const many = (budget: number, most: number): Statement[] => {
    const count = Math.max(1, Math.min(most, budget));
    return Array.from({ length: count }, () => statement(Math.floor(budget / count)));
  };
  const block = (budget: number): Statement => ({
    kind: 'sequence',
    parts: many(budget, 1 + below(random, 3)),
  });
  const statement = (budget: number): Statement => {
    if (budget <= 1) return random() < 0.15 ? gate() : task(failureRate);
    const roll = random();
    if (roll < 0.25) return block(budget);
    if (roll < 0.45) return { kind: 'parallel', parts: many(budget, 2 + below(random, 2)) };
    if (roll < 0.7) return fork(budget - 1);
    if (roll < 0.9) return attempt(budget - 1);
    return gate();
  };
  const gate = (): Statement => ({ kind: 'gate', id: id(), chosen: random() < 0.75 ? 'yes' : 'no' });
  const fork = (budget: number): Statement => {
    const names = ['a', 'b', 'c', 'd'].slice(0, 1 + below(random, 3));
    const exhaustive = random() < 0.5;
    const own = id();
    const ways = names.map((branch) => ({
      branch,
      body: random() < 0.1 ? null : block(Math.max(1, Math.floor(budget / names.length))),
    }));
    const chosen = exhaustive ? pick(random, names) : pick(random, [...names, 'elsewhere']);
    return { kind: 'fork', id: own, chosen, ways, exhaustive };
  };
  const attempt = (budget: number): Statement => {
    const body = Array.from({ length: 1 + below(random, 3) }, () => task(0.3));
    const each = Math.max(1, Math.floor(budget / 2));
    const catches =
      random() < 0.6
        ? [{ errors: null, body: block(each) }]
        : [
            { errors: ['timeout'], body: block(each) },
            { errors: ['http_4xx'], body: block(each) },
          ];
    return { kind: 'try', body, catches, rejoins: random() < 0.7 };
  };
  return block(size);
}

/** The ids that run, and how it ends, by the meaning of the words alone. */
export function interpret(program: Statement): { ran: Set<string>; uncaught: boolean } {
  const ran = new Set<string>();
  const failed = new Set<string>();
  let uncaught = false;
  const runTask = (task: Statement & { kind: 'task' }): boolean => {
    ran.add(task.id);
    if (task.error !== null) failed.add(task.id);
    return task.error === null;
  };
  const run = (statement: Statement): Outcome => {
    switch (statement.kind) {
      case 'task':
        if (runTask(statement)) return 'ok';
        uncaught = true;
        return 'failed';
      case 'sequence': {
        for (const part of statement.parts) {
          const outcome = run(part);
          if (outcome !== 'ok') return outcome;
        }
        return 'ok';
      }
      case 'parallel': {
        const outcomes = statement.parts.map(run);
        if (outcomes.includes('failed')) return 'failed';
        return outcomes.includes('skipped') ? 'skipped' : 'ok';
      }
      case 'gate':
        ran.add(statement.id);
        return statement.chosen === 'yes' ? 'ok' : 'skipped';
      case 'fork': {
        ran.add(statement.id);
        const way = statement.ways.find(({ branch }) => branch === statement.chosen);
        return way?.body == null ? 'ok' : run(way.body);
      }
      case 'try': {
        const thrown = statement.body.find((task) => !runTask(task));
        if (thrown === undefined) return 'ok';
        const caught = statement.catches.find(
          ({ errors }) =>
            errors === null ||
            errors.some(
              (pattern) =>
                pattern === thrown.error || (pattern === 'http_4xx' && thrown.error === 'http_404'),
            ),
        );
        if (caught === undefined) {
          uncaught = true;
          return 'failed';
        }
        const outcome = run(caught.body);
        // CONTRACT 2.1: caught, if at least one direct target of the edge completed.
        if (entriesOf(caught.body).every((id) => !ran.has(id) || failed.has(id))) uncaught = true;
        return statement.rejoins ? outcome : 'skipped';
      }
    }
  };
  run(program);
  return { ran, uncaught };
}

/** What the statement begins with. */
function entriesOf(statement: Statement): string[] {
  switch (statement.kind) {
    case 'sequence':
      return entriesOf(statement.parts[0]!);
    case 'parallel':
      return statement.parts.flatMap(entriesOf);
    case 'try':
      return [statement.body[0]!.id];
    default:
      return [statement.id];
  }
}

/**
 * Plain edges, as an author would draw them, in any order, and now and then one that is redundant: on a task, or on a
 * whole `if`, that has ended before in the same or an enclosing sequence.
 */
export function compile(program: Statement, random: Random): NodeDefinition[] {
  const nodes: NodeDefinition[] = [];
  const add = (id: string, entry: readonly Dependency[], before: readonly string[]): void => {
    const dependsOn = [...entry];
    if (before.length > 0 && random() < 0.3) {
      const taskId = pick(random, before);
      if (!entry.some((dependency) => dependency.taskId === taskId)) dependsOn.push({ taskId });
    }
    nodes.push(taskNode(id, shuffled(random, dependsOn)));
  };
  /** Returns what the next statement depends on. */
  const place = (
    statement: Statement,
    entry: readonly Dependency[],
    before: readonly string[],
  ): readonly Dependency[] => {
    switch (statement.kind) {
      case 'task':
        add(statement.id, entry, before);
        return [{ taskId: statement.id }];
      case 'sequence': {
        let exits = entry;
        const ended = [...before];
        for (const part of statement.parts) {
          exits = place(part, exits, ended);
          // A gate is not among them: `[work, gate]` means that `work` is left out when the gate says no.
          const isGate = part.kind === 'fork' && part.exhaustive && part.ways.length === 1;
          if (part.kind === 'task' || (part.kind === 'fork' && !isGate)) ended.push(part.id);
        }
        return exits;
      }
      case 'parallel':
        return statement.parts.flatMap((part) => place(part, entry, before));
      case 'gate':
        add(statement.id, entry, before);
        return [{ taskId: statement.id, branch: 'yes' }];
      case 'fork': {
        add(statement.id, entry, before);
        const exits = statement.ways.flatMap(({ branch, body }) => {
          const way: Dependency[] = [{ taskId: statement.id, branch }];
          return body === null ? way : place(body, way, before);
        });
        return statement.exhaustive ? exits : [...exits, { taskId: statement.id }];
      }
      case 'try': {
        let last = entry;
        for (const task of statement.body) last = place(task, last, before);
        const handled = statement.catches.flatMap(({ errors, body }) => {
          const thrown = statement.body.map(({ id }): Dependency => ({ taskId: id, on: 'failure' }));
          return place(body, errors === null ? thrown : thrown.map((edge) => ({ ...edge, errors })), before);
        });
        return statement.rejoins ? [...last, ...handled] : last;
      }
    }
  };
  place(program, [], []);
  return shuffled(random, nodes);
}

/** What each task of the program does when it runs. */
export function scriptsOf(program: Statement): Map<string, { error?: string | null; branch?: string }> {
  const scripts = new Map<string, { error?: string | null; branch?: string }>();
  const visit = (statement: Statement): void => {
    switch (statement.kind) {
      case 'task':
        scripts.set(statement.id, { error: statement.error });
        break;
      case 'sequence':
      case 'parallel':
        statement.parts.forEach(visit);
        break;
      case 'gate':
        scripts.set(statement.id, { branch: statement.chosen });
        break;
      case 'fork':
        scripts.set(statement.id, { branch: statement.chosen });
        for (const { body } of statement.ways) if (body !== null) visit(body);
        break;
      case 'try':
        statement.body.forEach(visit);
        for (const { body } of statement.catches) visit(body);
        break;
    }
  };
  visit(program);
  return scripts;
}
