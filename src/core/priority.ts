// Priorities of executions, whatever starts them: higher first.

export const PRIORITY = { min: 1, max: 10, default: 5 } as const;
