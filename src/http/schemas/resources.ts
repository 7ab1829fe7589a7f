// Smaller resources as the API shows them (OpenAPI): tenants, keys, variables, events, the audit trail, prices, limits.
import { Type } from 'typebox';
import { KEY_ROLES, SCOPES } from '../../core/caller/access.ts';
import { TENANT_STATUSES } from '../../core/caller/tenant.ts';
import { PRICE_SOURCES } from '../../core/cost/price-table.ts';
import { SERVICE_STATES } from '../../resources/service-limits.ts';
import { anyObject, id, instant, made, nullable, nullableInstant, nullOr, words } from './parts.ts';

export const TenantSchema = Type.Object(
  {
    id: id(),
    name: Type.String(),
    displayName: nullable('string'),
    tier: Type.Integer(),
    status: words(TENANT_STATUSES),
    weight: Type.Integer({
      description: 'Turns of its tasks for one of a tenant of weight 1, where both wait.',
    }),
    limits: Type.Object(
      {
        maxRunningTasks: nullable('integer', { description: 'Tasks that run at once, on all workers.' }),
        maxStartsPerMinute: nullable('integer', { description: 'Executions that start within any minute.' }),
        maxWaitingExecutions: nullable('integer', {
          description: 'Executions that are recorded and not opened.',
        }),
      },
      { description: "The operator's; null: none." },
    ),
    settings: anyObject("Its owner's."),
    createdAt: instant(),
    updatedAt: instant(),
  },
  { title: 'Tenant', description: 'A tenant.' },
);

const key = {
  id: id(),
  name: Type.String(),
  subject: nullable('string', { description: 'For whom it acts; null: for itself.' }),
  roles: Type.Array(words(KEY_ROLES)),
  scopes: Type.Array(words(SCOPES), { description: 'Besides what the roles grant.' }),
  createdBy: made.createdBy,
  createdAt: instant(),
  expiresAt: nullableInstant('Null: never.'),
  revokedAt: nullableInstant('Null: it is not.'),
  lastUsedAt: nullableInstant('To a minute; null: never.'),
};
export const ApiKeySchema = Type.Object(key, {
  title: 'ApiKey',
  description: 'A key, without what is secret of it.',
});
export const MadeApiKeySchema = Type.Object(
  {
    ...key,
    key: Type.String({ description: 'The key itself; in this answer only.', examples: ['dw_<id>_<secret>'] }),
  },
  { title: 'MadeApiKey', description: 'A key that has just been made.' },
);

export const VariableSchema = Type.Object(
  { name: Type.String(), value: Type.Unknown(), description: nullable('string'), ...made },
  { title: 'Variable', description: 'A variable.' },
);

export const EventSchema = Type.Object(
  {
    id: id(),
    type: Type.String(),
    payload: Type.Unknown(),
    createdBy: Type.String(),
    createdAt: instant(),
    processedAt: nullableInstant('Null: its triggers have not been looked at yet.'),
    executionsStarted: nullable('integer', { description: 'Null until then.' }),
    errors: Type.Array(
      Type.Object({
        workflowId: Type.String(),
        name: Type.String({ description: 'Of the trigger.' }),
        code: Type.String(),
        message: Type.String(),
      }),
      { description: 'Triggers that could not start their workflow.' },
    ),
  },
  { title: 'Event', description: 'An event, and what became of it.' },
);

const changed = (description: string) =>
  nullOr(anyObject('By field; secrets are named and hidden.'), description);
export const AuditRecordSchema = Type.Object(
  {
    id: id(),
    at: instant(),
    actor: Type.String(),
    action: Type.String({ examples: ['schedules.update'] }),
    resourceType: Type.String(),
    resourceId: Type.String(),
    oldValues: changed('Null: it was made.'),
    newValues: changed('Null: it was deleted.'),
    address: nullable('string', { description: 'IP address of the caller.' }),
    userAgent: nullable('string'),
  },
  { title: 'AuditRecord', description: 'A change.' },
);

const rate = nullable('string', {
  description: 'US dollars per million tokens; null: not charged by itself, or not known.',
  examples: ['2.50'],
});
const rates = Type.Unsafe<unknown>({
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'US dollars per million of a kind, `webSearches` and `requests` per thousand.',
});
export const PriceSchema = Type.Object(
  {
    provider: Type.String(),
    model: Type.String({ description: '`*`: all models of the provider.' }),
    source: words(PRICE_SOURCES),
    reference: Type.Optional(
      Type.String({ description: 'Of a reviewed price: where it was read, and on which day.' }),
    ),
    effectiveFrom: nullableInstant('Null: always.'),
    dailyFrom: nullable('string', { description: 'Holds from this time of day (UTC); null: all day.' }),
    dailyUntil: nullable('string'),
    inputUsdPerMillion: rate,
    cachedInputUsdPerMillion: rate,
    cacheWriteUsdPerMillion: rate,
    outputUsdPerMillion: rate,
    otherRates: rates,
    tiers: Type.Array(Type.Object({ aboveInputTokens: Type.Integer(), rates }), {
      description: 'What is different for calls with more input tokens.',
    }),
  },
  { title: 'Price', description: 'What a model costs.' },
);

const limit = {
  serviceId: Type.String(),
  maxConcurrency: nullable('integer', { description: 'Calls at once; null: no limit.' }),
  rateLimit: nullable('integer', {
    description: 'Calls that may start within the interval; null: no limit.',
  }),
  rateIntervalSeconds: Type.Unsafe<unknown>({ type: ['number', 'null'] }),
};
export const ServiceLimitSchema = Type.Object(limit, {
  title: 'ServiceLimit',
  description: 'Limits of an outside service.',
});
export const OutsideServiceSchema = Type.Object(
  {
    ...limit,
    inFlight: nullable('integer', {
      description: 'Calls under way, of all tenants; known with `maxConcurrency`, told to the operator only.',
    }),
    state: words(
      SERVICE_STATES,
      'Of its circuit breaker. `half_open`: the next call tries it; `paused`: it asked for no calls itself.',
    ),
    openings: Type.Integer({ description: 'How often in a row it has opened.' }),
    retryInMs: Type.Integer({ description: 'Until calls may begin again; 0: now.' }),
    lastError: nullable('string', { description: 'Code of the error that held it back.' }),
  },
  { title: 'OutsideService', description: 'An outside service that is limited or held back.' },
);
export const ServiceResetSchema = Type.Object(
  {
    serviceId: Type.String(),
    wasHeldBack: Type.Boolean({ description: 'False: there was nothing to end.' }),
  },
  { title: 'OutsideServiceReset', description: 'A service whose circuit breaker is closed.' },
);
