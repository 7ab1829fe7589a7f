// One name for each model provider: what other tools call it, in the name that the price list uses.

// Exact names only: a server that merely has "openai" in its name does not cost what OpenAI costs.
const OTHER_NAMES: Readonly<Record<string, string>> = {
  gemini: 'google',
  vertex: 'google',
  vertexai: 'google',
  'vertex-ai': 'google',
  'google-vertex': 'google',
  'google-genai': 'google',
  'google.generative-ai': 'google',
  'gcp.gemini': 'google',
  'gcp.vertex-ai': 'google',
  bedrock: 'aws',
  'amazon-bedrock': 'aws',
  'aws-bedrock': 'aws',
  'aws.bedrock': 'aws',
  'azure-openai': 'azure',
  'azure.ai.openai': 'azure',
  'azure.ai.inference': 'azure',
  xai: 'x-ai',
  mistralai: 'mistral',
  moonshot: 'moonshotai',
  voyage: 'voyageai',
  'fireworks-ai': 'fireworks',
  togetherai: 'together',
  'together-ai': 'together',
};

/** The price list's name of a provider; lower case. */
export function providerName(name: string): string {
  const plain = name.trim().toLowerCase().replaceAll('_', '-');
  return Object.hasOwn(OTHER_NAMES, plain) ? OTHER_NAMES[plain]! : name.trim().toLowerCase();
}

/** A model's name as prices are found by: without its provider, lower case. */
export function modelName(provider: string, model: string): string {
  const plain = model.trim().toLowerCase();
  const prefix = `${provider.trim().toLowerCase()}/`;
  return plain.startsWith(prefix) && plain.length > prefix.length ? plain.slice(prefix.length) : plain;
}
