// How an external_api shows who calls: `auth` of its config, read for each call. Secrets are named in it, never written.
import type { NodeDefinition } from '../../core/definition/model.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { describe } from '../compile-config.ts';
import { invalid, isHeaderValue } from './fields.ts';
import type { AwsCredentials } from './sigv4.ts';

export interface ClientCredentials {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | null;
  readonly audience: string | null;
  /** Where the client shows its secret: RFC 6749, 2.3.1. */
  readonly sendIn: 'header' | 'body';
}

export type Auth =
  | { readonly kind: 'header'; readonly value: string }
  | { readonly kind: 'aws'; readonly credentials: AwsCredentials }
  | { readonly kind: 'oauth2'; readonly client: ClientCredentials };

/** Throws `validation`. */
export function readAuth(node: NodeDefinition, given: Json): Auth {
  if (!isJsonObject(given)) throw invalid(node, `config.auth must be an object, got ${describe(given)}`);
  const [scheme, ...others] = Object.keys(given).filter((name) => !name.startsWith('x-'));
  const fields = others.length === 0 && scheme !== undefined ? given[scheme] : null;
  if (scheme === undefined || others.length > 0 || !isJsonObject(fields))
    throw invalid(node, 'config.auth must have one of basic, bearer, awsSigV4 and oauth2ClientCredentials');
  const read = reader(node, scheme, fields);
  switch (scheme) {
    case 'basic': {
      const username = read('username');
      if (username.includes(':')) throw invalid(node, 'config.auth.basic.username cannot hold ":"');
      return { kind: 'header', value: basic(username, read('password')) };
    }
    case 'bearer': {
      const token = read('token');
      if (!isHeaderValue(token) || token.trim() !== token)
        throw invalid(node, 'config.auth.bearer.token holds what a header cannot hold');
      return { kind: 'header', value: `Bearer ${token}` };
    }
    case 'awsSigV4':
      return {
        kind: 'aws',
        credentials: {
          accessKeyId: read('accessKeyId'),
          secretAccessKey: read('secretAccessKey'),
          sessionToken: read.optional('sessionToken'),
          region: read('region'),
          service: read('service'),
        },
      };
    case 'oauth2ClientCredentials':
      return { kind: 'oauth2', client: readClient(node, read) };
    default:
      throw invalid(
        node,
        `config.auth has ${JSON.stringify(scheme.slice(0, 80))}, which is no way to show who calls`,
      );
  }
}

type Reader = ((field: string) => string) & { readonly optional: (field: string) => string | null };

function reader(node: NodeDefinition, scheme: string, fields: JsonObject): Reader {
  const optional = (field: string): string | null => {
    const value = fields[field] ?? null;
    if (value === null || (typeof value === 'string' && value !== '')) return value;
    throw invalid(
      node,
      `config.auth.${scheme}.${field} must be a text that is not empty, got ${describe(value)}`,
    );
  };
  const needed = (field: string): string => {
    const value = optional(field);
    if (value === null) throw invalid(node, `config.auth.${scheme} needs "${field}"`);
    return value;
  };
  return Object.assign(needed, { optional });
}

function readClient(node: NodeDefinition, read: Reader): ClientCredentials {
  const tokenUrl = URL.parse(read('tokenUrl'));
  if (tokenUrl === null || !/^https?:$/.test(tokenUrl.protocol))
    throw invalid(node, 'config.auth.oauth2ClientCredentials.tokenUrl is not an http or https URL');
  const sendIn = read.optional('sendIn') ?? 'header';
  if (sendIn !== 'header' && sendIn !== 'body')
    throw invalid(node, 'config.auth.oauth2ClientCredentials.sendIn must be header or body');
  return {
    tokenUrl,
    clientId: read('clientId'),
    clientSecret: read('clientSecret'),
    scope: read.optional('scope'),
    audience: read.optional('audience'),
    sendIn,
  };
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
