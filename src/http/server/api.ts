// The words that all routes share: the application's type, what a route asks of its caller, who the caller is.
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { KeyScope } from '../../core/caller/access.ts';
import type { LongNumbers } from '../../core/long-numbers.ts';
import type { Acting, Operator } from '../../db/connection/connection.ts';

/** Types of what was validated; answers are not bound to their schemas, which describe them only. */
interface ApiTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: unknown;
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ApiTypes
>;

/** Who may call a route: anyone; the operator; a key with the scope, or with any one of several. */
export type Access = 'public' | 'operator' | KeyScope | readonly KeyScope[];

/**
 * What a route takes as its body. `json` (the default): parsed and validated. `document`: a definition, JSON or YAML, as
 * {@link DocumentBody}, up to 10 MB. `raw`: the bytes as they came, any media type, in a Buffer.
 */
export type BodyKind = 'json' | 'document' | 'raw';

export interface DocumentBody {
  readonly text: string;
  readonly format: 'json' | 'yaml';
}

/** The caller, once it is known. */
export interface Principal {
  /** `open`: no key is configured, everyone on this machine may do everything. */
  readonly kind: 'open' | 'operator' | 'key';
  /** Null: the operator, who has named no tenant. */
  readonly tenantId: string | null;
  /** `key:<id>`, or the subject that stands behind it. */
  readonly actor: string;
  readonly scopes: ReadonlySet<KeyScope>;
  /** Of a tenant's key. */
  readonly keyId: string | null;
  /** What its requests are counted by: the key's id. */
  readonly rateKey: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required of every route. */
    access?: Access;
    body?: BodyKind;
    /** For OpenAPI: request headers that are its own. What many take is added there. */
    takes?: readonly ('If-Match' | 'If-None-Match' | 'Last-Event-ID')[];
    /** For OpenAPI: headers of its success. */
    gives?: readonly ('ETag' | 'Location')[];
    /** For OpenAPI: refusals that are its own. */
    refuses?: readonly (410 | 412 | 413)[];
    /** For OpenAPI: an empty body is refused, though its schema requires no field. */
    needsBody?: boolean;
    /** Takes no key, but whoever succeeds has shown who calls: a delivery that is signed, an answer with its token. */
    provesItself?: boolean;
    /** Its senders are not ours to instruct: numbers beyond 2^53 are kept as texts, and `request.longNumbers` says where. */
    keepsLongNumbers?: boolean;
    /** Takes any query parameters. */
    anyQuery?: boolean;
    /** Absent from OpenAPI and metrics by route. */
    hidden?: boolean;
  }
  interface FastifyRequest {
    /** Null on public routes. */
    principal: Principal | null;
    /** IP address of the client, also after it has gone; undefined: it went too soon. */
    address: string | undefined;
    /** In whose name a tenant's route acts. */
    readonly acting: Acting;
    /** Who acts on a route of the operator. */
    readonly actor: Operator;
    /** Of its body, as it came. */
    bodyBytes: number;
    /** Of a body whose route keeps them. */
    readonly longNumbers: LongNumbers;
  }
}
