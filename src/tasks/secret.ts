// A secret, and where it may go.

export interface Secret {
  readonly name: string;
  readonly value: string;
  /** The hosts that it may be sent to; null: any. */
  readonly boundTo: HostList | null;
}

export interface HostList {
  /** Whether the list holds the host and port of a URL, as they are written there. */
  names(url: URL): boolean;
}

/** Whether a secret may go to a host. */
export function mayGoTo({ boundTo }: Pick<Secret, 'boundTo'>, url: URL): boolean {
  return boundTo === null || boundTo.names(url);
}
