// What a workflow may be called, in definitions, paths and arguments.

export const MAX_WORKFLOW_ID_CHARS = 100;

export const WORKFLOW_ID = {
  pattern: /^[A-Za-z][A-Za-z0-9_-]{0,99}$/,
  expected: 'letters, digits, "_" and "-", beginning with a letter, at most 100',
} as const;

/** Of a workflow: 1 to nine digits. */
export const MAX_REVISION = 999_999_999;
export const REVISION = { pattern: /^[1-9][0-9]{0,8}$/, expected: 'a whole number from 1' } as const;
