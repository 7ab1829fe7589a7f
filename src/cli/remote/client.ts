// The client of commands with --server: each act goes over its route.
import { Elsewhere } from '../at.ts';
import './installation-routes.ts';
import { routeOf } from './route-table.ts';
import './routes.ts';
import { bodyOrRefuse, needsDatabase, type RemoteService } from './service.ts';

export class RemoteClient extends Elsewhere {
  readonly #service: RemoteService;

  constructor(service: RemoteService) {
    super();
    this.#service = service;
  }

  async perform(act: unknown, given: readonly unknown[]): Promise<unknown> {
    const route = routeOf(act);
    if (route === undefined) throw needsDatabase();
    const ask = route.isOperator
      ? this.#service.askAsOperator.bind(this.#service)
      : this.#service.ask.bind(this.#service);
    const outcome = await route.perform(ask, given, this.#service);
    if (route.isOutcome) return outcome;
    return outcome.ok ? outcome.value : bodyOrRefuse(outcome);
  }
}
