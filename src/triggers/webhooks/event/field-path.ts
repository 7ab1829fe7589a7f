// The fieldPath of a filter as an expression. A filter's author writes names as they are (`headers.X-GitHub-Event`,
// `body.commits.0.id`), where an expression would subtract.
const PLAIN = /^(?:\$\.)?([A-Za-z]+)((?:\.[A-Za-z0-9_-]+|\[\d{1,9}\]|\['[^'\\]*'\]|\["[^"\\]*"\])*)$/;
const STEP = /\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/g;

/** Names of headers become lower-case, as the scope has them. What is no plain path is left to the expression's grammar. */
export function fieldPathExpression(fieldPath: string): string {
  const [, root, steps] = PLAIN.exec(fieldPath.trim()) ?? [];
  if (root === undefined || steps === undefined) return fieldPath;
  const names: string[] = [root];
  let text = root;
  for (const [, dotted, index, single, double] of steps.matchAll(STEP)) {
    const name = dotted ?? single ?? double;
    const isIndex = name === undefined || (dotted !== undefined && /^\d{1,9}$/.test(dotted));
    const step = name ?? index!;
    text += isIndex
      ? `[${Number(step)}]`
      : `[${JSON.stringify(isHeaders(names) ? step.toLowerCase() : step)}]`;
    names.push(step);
  }
  return text;
}

function isHeaders(names: readonly string[]): boolean {
  return names.join('.') === 'headers' || names.join('.') === 'trigger.headers';
}
