import type { AudienceChanged, SegmentChanged } from '@perennial/contracts';
import { toCloudEventHeaders, toTopic } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import type { Pseudonymizer } from '@perennial/privacy';
import { unsealUserId } from '@perennial/privacy';
import type { StepTargets } from './step.js';

/**
 * Makes the edge records of a change of segments: one in the order of the changes, and one that stands for the profile
 * and the segment until the next (its topic is compacted). Their ids are deterministic.
 */
export function createSegmentChangedWriter(
  namespace: string,
  pseudonymizer: Pseudonymizer,
): StepTargets['toSegmentChanged'] {
  const topics = { changed: toTopic(namespace, 'segmentChanged'), audience: toTopic(namespace, 'audienceChanged') };
  const source = `/perennial/${namespace}/scoring`;
  return ({ key, subject, change, segmentsVersion }) => {
    const { number, segment } = change;
    const at = new Date(change.atMs).toISOString();
    const userId = unsealUserId(pseudonymizer, { profileKey: key, subject });
    const changed: SegmentChanged = {
      profileKey: key,
      userId,
      number,
      segment,
      change: change.change,
      cause: change.cause,
      at,
      reasons: change.reasons,
      evidence: change.evidence,
      segmentsVersion,
    };
    const member: AudienceChanged = {
      profileKey: key,
      userId,
      segment,
      member: change.change === 'entered',
      since: at,
      number,
    };
    const toHeaders = (type: string) =>
      toCloudEventHeaders({
        id: toDeterministicId(type, namespace, key, String(number)),
        source,
        type: `lifecycle.${type}.v1`,
        subject: key,
        time: at,
      });
    return [
      { topic: topics.changed, value: Buffer.from(JSON.stringify(changed)), headers: toHeaders('segment.changed') },
      {
        topic: topics.audience,
        // The partition stays that of the profile: its changes are in order there.
        key: `${key}:${segment}`,
        value: Buffer.from(JSON.stringify(member)),
        headers: toHeaders('audience.changed'),
      },
    ];
  };
}
