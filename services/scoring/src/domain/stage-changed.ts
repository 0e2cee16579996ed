import type { StageChanged } from '@perennial/contracts';
import { toCloudEventHeaders, toTopic } from '@perennial/contracts';
import type { Pseudonymizer } from '@perennial/identity';
import { toDeterministicId } from '@perennial/kernel';
import type { Output } from '@perennial/keyed-processor';
import type { StepTargets } from './step.js';

/** Makes edge records of transitions: JSON with CloudEvents headers, an id that repeats with the transition. */
export function createStageChangedWriter(
  namespace: string,
  pseudonymizer: Pseudonymizer,
): StepTargets['toStageChanged'] {
  const topic = toTopic(namespace, 'stageChanged');
  const source = `/perennial/${namespace}/scoring`;
  return ({ key, subject, transition, evidence }): Output => {
    const at = new Date(transition.atMs).toISOString();
    const data: StageChanged = {
      profileKey: key,
      userId: toUserId(pseudonymizer, key, subject),
      number: transition.number,
      from: transition.from === '' ? null : transition.from,
      to: transition.to,
      cause: transition.cause,
      at,
      reasons: transition.reasons,
      evidence: transition.evidence,
      lifecycleVersion: evidence.lifecycle?.number ?? 0,
      modelHash: evidence.modelHash,
    };
    const headers = toCloudEventHeaders({
      id: toDeterministicId('stage.changed', namespace, key, String(transition.number)),
      source,
      type: 'lifecycle.stage.changed.v1',
      subject: key,
      time: at,
    });
    return { topic, value: Buffer.from(JSON.stringify(data)), headers };
  };
}

/** The user's id; null for a profile that is known by an anonymous id only (its key is not that of a user of this name). */
function toUserId(pseudonymizer: Pseudonymizer, key: string, subject: Buffer): string | null {
  if (subject.length === 0) return null;
  const externalId = pseudonymizer.unseal(subject);
  return pseudonymizer.toProfileKey({ userId: externalId }) === key ? externalId : null;
}
