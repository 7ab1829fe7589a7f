// SQLSTATEs that the functions for other services raise (`start_workflow`, `emit_event`, `complete_callback`, …). Each error has a
// message, and mostly a hint.
import type { CodeText } from './code-text.ts';

export const SQL_CODES = {
  '22023': {
    means: 'An argument does not fit, or no tenant is set.',
    fix: "`set_config('app.current_tenant_id', 'ID', true)` before it.",
  },
  P0002: {
    means: 'There is no such workflow, or no such revision of it, in this tenant.',
    fix: '`dagwright apply FILE`',
  },
  '42501': { means: 'The login may not do this, or the rows are only appended to.' },
  '53400': {
    means: 'The tenant has started as many executions within a minute as it may, or has as many waiting.',
    fix: 'Start it again later; `dagwright tenants show NAME` has the limits.',
  },
  '54000': { means: 'More bytes of JSON than are kept, or more signals of one name.' },
  '55000': { means: 'The workflow is not active, or the tenant is suspended or of too low a tier.' },
} as const satisfies Readonly<Record<string, CodeText>>;
