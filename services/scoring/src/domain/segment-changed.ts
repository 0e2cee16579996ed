import type { SegmentChanged } from '@perennial/contracts';
import { toCloudEventHeaders, toTopic } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import type { Pseudonymizer } from '@perennial/privacy';
import { unsealUserId } from '@perennial/privacy';
import type { StepTargets } from './step.js';

const TYPE = 'segment.changed';

/**
 * Makes the edge records of changes of segments, in the order of the changes. Each stands for its profile and segment
 * until the next one (the topic is compacted). Their ids are deterministic.
 */
export function createSegmentChangedWriter(
  namespace: string,
  pseudonymizer: Pseudonymizer,
): StepTargets['toSegmentChanged'] {
  const topic = toTopic(namespace, 'segmentChanged');
  const source = `/perennial/${namespace}/scoring`;
  return ({ key, subject, changes, segmentsVersion }) => {
    // Most steps change none, and a step that needs no id must not fail for one that cannot be unsealed.
    if (changes.length === 0) return [];
    const userId = unsealUserId(pseudonymizer, { profileKey: key, subject });
    return changes.map(({ number, segment, change, cause, atMs, reasons, evidence }) => {
      const at = new Date(atMs).toISOString();
      const data: SegmentChanged = {
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
      return {
        topic,
        // The partition stays that of the profile: its changes are in order there.
        key: `${key}:${segment}`,
        value: Buffer.from(JSON.stringify(data)),
        headers: toCloudEventHeaders({
          id: toDeterministicId(TYPE, namespace, key, String(number)),
          source,
          type: `lifecycle.${TYPE}.v1`,
          subject: key,
          time: at,
        }),
      };
    });
  };
}
