// The words of webhooks (CONTRACT 7).

/** How a sender shows a shared secret; a verifier checks a signature instead, or besides. */
export const WEBHOOK_AUTH_TYPES = ['none', 'secret', 'basic', 'bearer'] as const;
export type WebhookAuthType = (typeof WEBHOOK_AUTH_TYPES)[number];

export const WEBHOOK_VERIFIERS = ['standard_webhooks', 'github', 'stripe', 'slack', 'hmac'] as const;
export type WebhookVerifier = (typeof WEBHOOK_VERIFIERS)[number];

/** `received`: stored, not decided yet; it stays so only where a process died in between. */
export const WEBHOOK_EVENT_STATUSES = ['received', 'processed', 'filtered', 'failed'] as const;
export type WebhookEventStatus = (typeof WEBHOOK_EVENT_STATUSES)[number];
