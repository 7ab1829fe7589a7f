// Where an act upon a resource happens: in the database, or at a service elsewhere (--server), over the route that is its other face.

/** A client that is no connection: acts are performed by whoever made it. */
export abstract class Elsewhere {
  /** `given`: what the act takes after client and acting. */
  abstract perform(act: unknown, given: readonly unknown[]): Promise<unknown>;
}

/** The act, where its client is. */
export function at<Act extends (client: never, acting: never, ...given: never[]) => unknown>(act: Act): Act {
  const perform = (client: never, acting: never, ...given: never[]): unknown =>
    (client as unknown) instanceof Elsewhere
      ? (client as Elsewhere).perform(act, given)
      : act(client, acting, ...given);
  return perform as Act;
}
