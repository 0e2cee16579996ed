import type { StageChanged } from '@perennial/contracts';
import { toCloudEventHeaders, toTopic } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import type { Output } from '@perennial/keyed-processor';
import { toNamedScores } from '@perennial/model-manifest';
import type { Pseudonymizer } from '@perennial/privacy';
import { unsealUserId } from '@perennial/privacy';
import type { StepTargets } from './step.js';

/** Makes edge records of transitions: JSON with CloudEvents headers and a deterministic id per transition. */
export function createStageChangedWriter(
  namespace: string,
  pseudonymizer: Pseudonymizer,
): StepTargets['toStageChanged'] {
  const topic = toTopic(namespace, 'stageChanged');
  const source = `/perennial/${namespace}/scoring`;
  return ({ key, subject, transition, evidence, scores }): Output => {
    const at = new Date(transition.atMs).toISOString();
    const data: StageChanged = {
      profileKey: key,
      userId: unsealUserId(pseudonymizer, { profileKey: key, subject }),
      number: transition.number,
      from: transition.from === '' ? null : transition.from,
      to: transition.to,
      cause: transition.cause,
      at,
      reasons: transition.reasons,
      evidence: transition.evidence,
      lifecycleVersion: evidence.lifecycle?.number ?? 0,
      modelHash: evidence.model?.hash ?? '',
      scores: evidence.model === undefined ? {} : toNamedScores(evidence.model.manifest, scores),
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
