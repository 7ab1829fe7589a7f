// Routes of what belongs to the installation, for the operator's key; as routes.ts.
import * as limits from '../../resources/service-limits.ts';
import * as tenants from '../../resources/tenants.ts';
import { e, type Given, get, list, post, ROUTES, route, text } from './route-table.ts';
import type { RemoteRequest } from './service.ts';

list(
  tenants.listTenants,
  ({ limit, before }: Given) => ({
    path: '/v1/tenants',
    query: { limit } as RemoteRequest['query'],
    after: text(before),
  }),
  { isOperator: true },
);
route(tenants.createTenant, (given: object) => post('/v1/tenants', given), { isOperator: true });
type Ref = { readonly name: string } | { readonly id: string };
const ofTenant = (
  act: unknown,
  request: (path: string, given: never) => RemoteRequest,
  refOf: (given: never) => Ref,
) =>
  ROUTES.set(act, {
    isOutcome: true,
    isOperator: true,
    async perform(ask, [given], service) {
      const ref = refOf(given as never);
      const id = 'id' in ref ? ref.id : await service.findTenantId(ref.name);
      if (id === null) {
        const message = `there is no tenant "${'name' in ref ? ref.name : ''}"`;
        return { ok: false, code: 'not_found', message, problems: [] };
      }
      const answer = await ask(request(`/v1/tenants/${e(id)}`, given as never));
      return answer.ok ? { ok: true, value: answer.value.body } : answer;
    },
  });
ofTenant(tenants.showTenant, get, (ref: Ref) => ref);
ofTenant(
  tenants.updateTenant,
  (path, { change }: { change: object }) => ({ method: 'PATCH', path, body: change }),
  ({ ref }: { ref: Ref }) => ref,
);
ROUTES.set(limits.listServices, {
  isOutcome: false,
  isOperator: false,
  async perform(ask) {
    const { readWhole } = await import('./list.ts');
    return { ok: true, value: { rows: await readWhole(ask, '/v1/service-limits'), hasMore: false } };
  },
});
const limitPath = (id: string) => `/v1/service-limits/${e(id)}`;
route(
  limits.setServiceLimit,
  ({ serviceId, ...body }: { serviceId: string }) => ({ method: 'PUT', path: limitPath(serviceId), body }),
  { isOperator: true },
);
route(limits.removeServiceLimit, (id: string) => ({ method: 'DELETE', path: limitPath(id) }), {
  isOperator: true,
  value: (_, serviceId: string) => ({ serviceId }),
});
route(limits.resetService, (id: string) => post(`${limitPath(id)}/reset`), { isOperator: true });
