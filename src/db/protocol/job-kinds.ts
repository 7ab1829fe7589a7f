// Kinds of jobs (graphile-worker's task identifiers): which worker takes which (functions/protocol/task-types.sql).

/**
 * Types that workers of every release have, since they were built in from the first on. A job of other types goes to those that have
 * registered them, also where a later release builds one in. The list stands in task-needs.sql as well, and never grows.
 */
export const COMMON_TYPES: readonly string[] = [
  'aggregation',
  'condition',
  'external_api',
  'fail',
  'model_inference',
  'parallel',
  'terminate',
  'transformation',
  'wait',
];

/** What any worker may take, and what any may that registers its types. */
const FOR_ALL = ['dagwright', 'dagwright:open'];

/** The kinds of jobs that a worker with these task types takes. */
export function jobKindsOf(types: Iterable<string>): readonly string[] {
  const own = [...types].filter((type) => !COMMON_TYPES.includes(type));
  return [...FOR_ALL, ...own.map((type) => `dagwright:${type}`)];
}
