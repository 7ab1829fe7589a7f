// Says which Node is needed before anything is loaded that fails on an older one in words of its own: src/index.ts imports it first.
// entry/dagwright.js and entry/index.cjs say the same in their own place, where no module of this package is loaded yet.
const LEAST = [22, 19] as const;

/** Null: this Node does. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])
    ? null
    : `dagwright needs Node >=${LEAST.join('.')}; this is ${version}`;
}

const problem = nodeProblem(process.versions.node);
if (problem !== null) throw new Error(problem);
