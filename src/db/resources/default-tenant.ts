// The one tenant that every installation has.

/** The tenant that exists from the first migration on; its id is fixed and documented (README, "Start from SQL"). */
export const DEFAULT_TENANT_ID = '00000000-0000-7000-8000-000000000001';
