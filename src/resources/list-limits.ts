// How long a page of a list is, by whatever door it is asked for.

export const PAGE_LIMIT = { max: 200, default: 50 } as const;
