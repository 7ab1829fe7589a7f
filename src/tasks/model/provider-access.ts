// Which provider a modelId names, at which address it is reached, and with which key.
//   A1  The operator's key of a provider goes to the provider's own address, to the operator's base URL, or to this machine.
//       Anywhere else that an author's `baseUrl` may point, it is the author's `credential` or no key.
import { TerminalError } from '../../core/errors.ts';
import { checkUsedSecrets } from '../outbound/secret-bindings.ts';
import type { Outside, ProviderAccess } from '../outside.ts';
import type { Secret } from '../secret.ts';

/** How a provider is spoken to; `compatible`: the chat completions of OpenAI, as many servers speak them. */
export type Dialect = 'anthropic' | 'openai' | 'google' | 'compatible' | 'simulated';

export interface ModelAccess {
  readonly dialect: Dialect;
  /** The first part of the modelId. */
  readonly provider: string;
  /** The rest of the modelId. */
  readonly name: string;
  readonly baseUrl: string;
  /** Null: none is sent. */
  readonly apiKey: string | null;
}

/** What a task says about the provider of its modelId. */
export interface AccessRequest {
  readonly taskId: string;
  /** `provider/name`. */
  readonly model: string;
  /** Name of a secret. */
  readonly credential: string | null;
  readonly baseUrl: string | null;
  /** What its config was made of. */
  readonly usedSecrets: ReadonlySet<Secret>;
}

const KNOWN: ReadonlyMap<string, { dialect: Dialect; baseUrl: string; path: string; key: string }> = new Map([
  [
    'anthropic',
    { dialect: 'anthropic', baseUrl: 'https://api.anthropic.com', path: '/v1', key: 'ANTHROPIC_API_KEY' },
  ],
  ['openai', { dialect: 'openai', baseUrl: 'https://api.openai.com/v1', path: '', key: 'OPENAI_API_KEY' }],
  [
    'google',
    {
      dialect: 'google',
      baseUrl: 'https://generativelanguage.googleapis.com',
      path: '/v1beta',
      key: 'GOOGLE_GENERATIVE_AI_API_KEY',
    },
  ],
]);
const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Throws `validation` where the provider, its address or its key is missing, `blocked_destination` where a secret is bound to other hosts. */
export async function readAccess(
  request: AccessRequest,
  outside: Pick<Outside, 'providers' | 'secrets'>,
): Promise<ModelAccess> {
  const { model, taskId } = request;
  const slash = model.indexOf('/');
  const provider = model.slice(0, slash);
  const name = model.slice(slash + 1);
  if (provider === 'simulated') return { dialect: 'simulated', provider, name, baseUrl: '', apiKey: null };
  const known = KNOWN.get(provider);
  const operator = await outside.providers.read(provider);
  const baseUrl = request.baseUrl ?? operator?.baseUrl ?? known?.baseUrl;
  if (baseUrl === undefined)
    throw new TerminalError(
      'validation',
      `Task "${taskId}": "${provider}" is no known model provider (${[...KNOWN.keys(), 'simulated'].join(', ')}); for a server that speaks OpenAI's chat completions set config.baseUrl`,
    );
  const url = readUrl(taskId, baseUrl);
  // OpenAI's own API is spoken in its newer dialect; whatever stands in for it usually has the older one only.
  const dialect =
    known === undefined || (provider === 'openai' && baseUrl !== known.baseUrl)
      ? 'compatible'
      : known.dialect;
  const credential = await readCredential(request, outside.secrets);
  checkUsedSecrets([...request.usedSecrets, ...(credential === null ? [] : [credential])], url);
  const apiKey = credential?.value ?? keyOf(request, url, operator, known?.baseUrl);
  if (apiKey === null && dialect !== 'compatible')
    throw new TerminalError(
      'validation',
      `Task "${taskId}": ${missingKey(provider, known?.key ?? '', request)}`,
    );
  // As the providers' own clients take it: without the version in the path.
  const isBare = url.pathname === '/' && known !== undefined;
  return {
    dialect,
    provider,
    name,
    baseUrl: `${baseUrl.replace(/\/+$/, '')}${isBare ? known.path : ''}`,
    apiKey,
  };
}

async function readCredential(
  { taskId, model, credential }: AccessRequest,
  secrets: Outside['secrets'],
): Promise<Secret | null> {
  if (credential === null) return null;
  const secret = await secrets.read(credential);
  if (secret !== null && secret.value !== '') return secret;
  throw new TerminalError(
    'validation',
    `Task "${taskId}": credential "${credential}" for ${model} is not set: set ${await secrets.variableOf(credential)}`,
  );
}

// A1
function keyOf(
  { baseUrl }: AccessRequest,
  url: URL,
  operator: ProviderAccess | undefined,
  own: string | undefined,
): string | null {
  const isTrusted =
    baseUrl === null ||
    THIS_MACHINE.test(url.hostname) ||
    [own, operator?.baseUrl].some(
      (one) => one !== undefined && URL.canParse(one) && new URL(one).origin === url.origin,
    );
  return isTrusted ? operator?.apiKey || null : null;
}

function missingKey(provider: string, variable: string, { baseUrl }: AccessRequest): string {
  return baseUrl === null
    ? `there is no key for the model provider "${provider}": set ${variable}, or config.credential and DAGWRIGHT_SECRET_<NAME>`
    : `there is no key for "${provider}" at config.baseUrl: set config.credential and DAGWRIGHT_SECRET_<NAME>; ${variable} is sent to the provider's own address only`;
}

function readUrl(taskId: string, baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url;
  throw new TerminalError(
    'validation',
    `Task "${taskId}": the base URL of a model provider must be an http or https address without user and password`,
  );
}
