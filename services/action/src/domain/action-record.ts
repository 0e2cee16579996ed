import { type ActionDecided, toCloudEventHeaders } from '@perennial/contracts';
import type { ActionDecision } from '@perennial/policy';
import { type Pseudonymizer, unsealUserId } from '@perennial/privacy';
import { type Recipient, toCause } from './step.js';

/** Makes edge records of decisions: JSON with CloudEvents headers; the CloudEvent's id is the action's id. */
export function createActionWriter(namespace: string, pseudonymizer: Pseudonymizer) {
  const source = `/perennial/${namespace}/action`;
  return (decision: ActionDecision, recipient: Recipient, policyVersion: number) => {
    const decidedAt = new Date(decision.decidedAtMs).toISOString();
    const data: ActionDecided = {
      actionId: decision.actionId,
      profileKey: recipient.profileKey,
      userId: unsealUserId(pseudonymizer, recipient),
      strategy: decision.strategy,
      channel: decision.channel,
      template: decision.template,
      parameters: decision.parameters,
      stage: decision.stage,
      cause: toCause(decision),
      reasons: decision.reasons,
      policyVersion,
      modelHash: recipient.modelHash,
      scores: toNamed(recipient.scores),
      decidedAt,
      expiresAt: new Date(decision.expiresAtMs).toISOString(),
      cost: decision.cost,
      ...decision.about,
      ...toOption(decision),
      ...decision.assignment,
    };
    const headers = toCloudEventHeaders({
      id: decision.actionId,
      source,
      type: 'lifecycle.action.decided.v1',
      subject: recipient.profileKey,
      time: decidedAt,
    });
    return { value: Buffer.from(JSON.stringify(data)), headers };
  };
}

/** Its own probability beside that of an arm: a strategy of an experiment may have options. */
function toOption({ option }: ActionDecision): Pick<ActionDecided, 'option' | 'optionPropensity'> {
  return option === undefined ? {} : { option: option.name, optionPropensity: option.propensity };
}

function toNamed(scores: Recipient['scores']): Record<string, number> {
  if (scores === undefined) return {};
  return Object.fromEntries([...scores.slots].map(([head, slot]) => [head, scores.values[slot] as number]));
}
