// One delivery of a webhook as it came in, before anything in it is believed.

/**
 * `headers`: lower-case names, as Node's `headersDistinct` gives them (a list shows that a header came twice; a plain
 * text is one value). `query`: decoded, a name given twice has a list. `rawBody`: the bytes as they came, which are what
 * was signed.
 */
export interface Delivery {
  readonly method: string;
  readonly headers: SentValues;
  readonly query: SentValues;
  readonly rawBody: Buffer;
  /** What was asked for, from /hooks/ on, with its query: as the sender wrote it. */
  readonly target: string;
}
export type SentValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a verifier found. `reason` is for the operator's log, never for the sender; it holds no secret and no signature. */
export type Verified =
  | {
      readonly ok: true;
      readonly deliveryId: string | null;
      /** Of what was signed, where the id is not: what is sent again under another id is known by it. */
      readonly signedId?: string;
    }
  | { readonly ok: false; readonly reason: string };

export type HeaderValue =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'doubled' };

/** A header that may be given once; an empty one counts as missing. */
export function readHeader(delivery: Delivery, name: string): HeaderValue {
  const given = Object.hasOwn(delivery.headers, name) ? delivery.headers[name] : undefined;
  const values = typeof given === 'string' ? [given] : (given ?? []);
  if (values.length > 1) return { kind: 'doubled' };
  const value = values[0];
  return value === undefined || value === '' ? { kind: 'missing' } : { kind: 'value', value };
}

/** The same as a result: a missing or doubled header refuses the delivery. */
export function requireHeader(
  delivery: Delivery,
  name: string,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string } {
  const header = readHeader(delivery, name);
  switch (header.kind) {
    case 'value':
      return { ok: true, value: header.value };
    case 'missing':
      return refuse(`the header ${name} is missing`);
    case 'doubled':
      return refuse(`the header ${name} is given more than once`);
  }
}

export function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
