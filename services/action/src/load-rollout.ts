import { findRefusal } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import { describeMissingHeads, listHeads } from '@perennial/expressions';
import type { Refusal } from '@perennial/keyed-processor';
import type { ActionEvents } from './events.js';
import type { Loaders } from './evidence.js';

/**
 * Checks what a rollout names before it comes into force: a policy that reads a head which the model in force lacks is
 * rejected. A model that lacks a head of the policy in force is not: scoring has it in force already, and its scores come.
 * The conditions then find no value, which is reported.
 */
export function createLoadRollout({ policies, manifests, specs }: Loaders, events: ActionEvents) {
  async function findMissingHeads(policy: Rollout, model: Rollout): Promise<string | undefined> {
    const read = listHeads((await policies(policy.hash, specs.initial)).variables);
    return describeMissingHeads(read, (await manifests(model.hash)).slots.keys());
  }

  return async (rollout: Rollout, inForce: ReadonlyMap<string, Rollout>): Promise<Refusal | undefined> => {
    if (rollout.kind === 'policy') {
      const refusal = await findRefusal(policies(rollout.hash, specs.initial));
      const model = inForce.get('model');
      // After a start it is in force already, with whichever model came since.
      const isInForce = inForce.get('policy')?.hash === rollout.hash;
      if (refusal !== undefined || model === undefined || isInForce) return refusal;
      const missing = await findMissingHeads(rollout, model);
      return missing === undefined
        ? undefined
        : { reason: `the policy ${rollout.number} reads ${missing}, which the model ${model.number} does not have` };
    }
    if (rollout.kind !== 'model') return undefined;
    const refusal = await findRefusal(manifests(rollout.hash));
    const policy = inForce.get('policy');
    if (refusal !== undefined || policy === undefined) return refusal;
    const missing = await findMissingHeads(policy, rollout);
    if (missing !== undefined) events.headsMissing({ policy: policy.number, model: rollout.number, missing });
    return undefined;
  };
}
