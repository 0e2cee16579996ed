import type { AudienceChanged, SegmentChanged } from '@perennial/contracts';
import { toCloudEventHeaders, toTopic } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import type { Pseudonymizer } from '@perennial/privacy';
import { unsealUserId } from '@perennial/privacy';
import type { StepTargets } from './step.js';

/**
 * Makes the edge records of changes of segments: of each one in the order of the changes, and one that stands for the
 * profile and the segment until the next (its topic is compacted). Their ids are deterministic.
 */
export function createSegmentChangedWriter(
  namespace: string,
  pseudonymizer: Pseudonymizer,
): StepTargets['toSegmentChanged'] {
  const topics = { changed: toTopic(namespace, 'segmentChanged'), audience: toTopic(namespace, 'audienceChanged') };
  const source = `/perennial/${namespace}/scoring`;
  return ({ key, subject, changes, segmentsVersion }) => {
    // Most steps change none, and a step that needs no id must not fail for one that cannot be unsealed.
    if (changes.length === 0) return [];
    const userId = unsealUserId(pseudonymizer, { profileKey: key, subject });
    return changes.flatMap(({ number, segment, change, cause, atMs, reasons, evidence }) => {
      const at = new Date(atMs).toISOString();
      const changed: SegmentChanged = {
        profileKey: key,
        userId,
        number,
        segment,
        change,
        cause,
        at,
        reasons,
        evidence,
        segmentsVersion,
      };
      const isMember = change === 'entered';
      const audience: AudienceChanged = { profileKey: key, userId, segment, member: isMember, since: at, number };
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
          value: Buffer.from(JSON.stringify(audience)),
          headers: toHeaders('audience.changed'),
        },
      ];
    });
  };
}
