// A definition as it may be stored and shown: without the secrets and verify tokens that its author wrote into its webhooks. Those of
// earlier releases were stored with them: a rollback gives such a one back to its webhook, and nobody reads it.
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import type { TriggerDefinition } from '../../core/definition/trigger-model.ts';
import { withoutToken } from '../../core/trigger/verify-token.ts';
import { referencedSecret } from '../../core/trigger/webhook.ts';

/** A reference to one of the service's secrets stays. */
export function withoutSecrets(definition: WorkflowDefinition): WorkflowDefinition {
  if (definition.triggers === undefined) return definition;
  const triggers = definition.triggers.map((trigger): TriggerDefinition => {
    if (trigger.type !== 'webhook') return trigger;
    const { secret, handshakes, ...rest } = trigger;
    const isNamed = secret !== undefined && referencedSecret(secret.trim()) !== null;
    return {
      ...rest,
      ...(isNamed && { secret }),
      ...(handshakes !== undefined && { handshakes: withoutToken(handshakes) }),
    };
  });
  return { ...definition, triggers };
}
