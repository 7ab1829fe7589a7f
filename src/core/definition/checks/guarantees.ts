// What is certain about a plan before it runs: which tasks have surely completed when another one runs, and which surely
// complete in an execution that completes. Conservative: "false" means "may be".
import type { Plan, PlanEdge, PlanNode } from '../../plan/plan.ts';

const COLUMNS = 1024;

/** A question: whether one of the tasks `anyOf` has completed, with an output of its own, whenever `reader` runs. */
export interface CompletionQuestion {
  readonly reader: number;
  readonly anyOf: readonly number[];
}

/** Node indexes throughout. One pass over the plan for each 1,024 different `anyOf`. */
export function surelyCompleted(plan: Plan, questions: readonly CompletionQuestion[]): boolean[] {
  const answers = questions.map(() => false);
  const open = new Map<string, number[]>();
  questions.forEach(({ reader, anyOf }, i) => {
    if (isNeededParent(plan, reader, anyOf)) {
      answers[i] = true;
      return;
    }
    const column = [...anyOf].sort((a, b) => a - b).join();
    const asked = open.get(column);
    if (asked === undefined) open.set(column, [i]);
    else asked.push(i);
  });
  const columns = [...open.values()];
  for (let start = 0; start < columns.length; start += COLUMNS) {
    const block = columns.slice(start, start + COLUMNS);
    const columnsOf = new Map<number, number[]>();
    block.forEach(([first = 0], column) => {
      for (const read of new Set(questions[first]!.anyOf))
        columnsOf.set(read, [...(columnsOf.get(read) ?? []), column]);
    });
    const words = Math.ceil(block.length / 32);
    const rows = guaranteeRows(plan, columnsOf, words);
    block.forEach((asked, column) => {
      for (const i of asked)
        answers[i] = ((rows[questions[i]!.reader * words + (column >>> 5)]! >>> (column & 31)) & 1) === 1;
    });
  }
  return answers;
}

/** A direct parent that must succeed: spares the pass over the plan in nearly all cases. */
function isNeededParent(plan: Plan, reader: number, anyOf: readonly number[]): boolean {
  const node = plan.nodes[reader]!;
  if (node.triggerRule !== null) return false;
  return node.groups.some((group) => {
    const edge = group.length === 1 ? node.inEdges[group[0]!] : undefined;
    return edge !== undefined && anyOf.includes(edge.from) && isPlain(edge, plan);
  });
}

/** One bit row per node: the columns of which a task has surely completed when it runs. */
function guaranteeRows(
  plan: Plan,
  columnsOf: ReadonlyMap<number, readonly number[]>,
  words: number,
): Uint32Array {
  const rows = new Uint32Array(plan.nodes.length * words);
  const implied = new Uint32Array(words);
  const all = new Uint32Array(words);
  for (const node of plan.nodes) {
    const own = rows.subarray(node.index * words, (node.index + 1) * words);
    for (const group of groupsOf(node)) {
      all.fill(0xffffffff);
      for (const edge of group) {
        if (edge.on === 'any') {
          all.fill(0);
          break;
        }
        implied.set(rows.subarray(edge.from * words, (edge.from + 1) * words));
        if (isPlain(edge, plan))
          for (const column of columnsOf.get(edge.from) ?? []) implied[column >>> 5]! |= 1 << (column & 31);
        for (let word = 0; word < words; word++) all[word]! &= implied[word]!;
      }
      for (let word = 0; word < words; word++) own[word]! |= all[word]!;
    }
  }
  return rows;
}

/** Its success means that the parent completed with an output of its own. */
function isPlain(edge: PlanEdge, plan: Plan): boolean {
  return edge.on === 'success' && plan.nodes[edge.from]?.optional === false;
}

/** Lists of edges of each of which one has succeeded when the node runs. */
export function groupsOf(node: PlanNode): (readonly PlanEdge[])[] {
  switch (node.triggerRule) {
    case null:
      return node.groups.map((group) => group.map((at) => node.inEdges[at]!));
    case 'all_success':
      return node.inEdges.map((edge) => [edge]);
    case 'one_success':
    case 'none_failed_min_one_success':
      return node.inEdges.length === 0 ? [] : [node.inEdges];
    default:
      return [];
  }
}

/**
 * By node index: 1 where the task completes in every execution that completes, taking the alternatives of a join to
 * cover all ways. For reads of the definition's `output`.
 */
export function completesAlways(plan: Plan): Uint8Array {
  const always = new Uint8Array(plan.nodes.length);
  for (const node of plan.nodes) {
    const { definition, optional, failureEdges, inEdges } = node;
    if (optional || definition.conditionExpression !== undefined || failureEdges.length > 0) continue;
    const isReached = groupsOf(node).every(
      (group) =>
        group.length > 1 ||
        group.every(
          (edge) =>
            edge.on === 'any' || (edge.on === 'success' && edge.branch === null && always[edge.from] === 1),
        ),
    );
    const isJudged =
      node.triggerRule === null ||
      node.triggerRule === 'all_done' ||
      inEdges.length === 0 ||
      groupsOf(node).length > 0;
    always[node.index] = isReached && isJudged ? 1 : 0;
  }
  return always;
}
