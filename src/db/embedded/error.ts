/** The embedded database cannot be used here. `message` says what happened, `hint` what to type or change. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.hint = hint;
  }
}

/** The system's code of a failed call ("ENOENT", "42P04"), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
