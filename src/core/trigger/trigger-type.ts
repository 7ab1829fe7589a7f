// What starts executions.

export const TRIGGER_TYPES = [
  'manual',
  'api',
  'schedule',
  'webhook',
  'sql',
  'sub_workflow',
  'event',
] as const;
export type TriggerType = (typeof TRIGGER_TYPES)[number];
