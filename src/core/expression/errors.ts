// The one error that evaluating an expression can raise.

/**
 * `missing_path`: a path that had to be there is not; `path` names it. `expression`: anything else (wrong types, limits,
 * arithmetic, secrets out of place). Messages name types and places, never values: values may be secrets.
 */
export class ExpressionError extends Error {
  readonly code: 'missing_path' | 'expression';
  readonly path?: string;
  constructor(code: 'missing_path' | 'expression', message: string, path?: string) {
    super(message);
    this.name = 'ExpressionError';
    this.code = code;
    if (path !== undefined) this.path = path;
  }
}
