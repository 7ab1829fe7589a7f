// In whose name the command line acts: whoever holds the database.

export const CLI_ACTOR = { actor: 'cli' } as const;
