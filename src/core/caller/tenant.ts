// The words of tenants.

/** `suspended`: nothing of it starts (what comes due waits until it is active), and its keys are refused; what runs goes on. */
export const TENANT_STATUSES = ['active', 'suspended'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];
