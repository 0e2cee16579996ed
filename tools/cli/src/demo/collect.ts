import { type TopicName, toTopic } from '@perennial/contracts';
import { type Log, type LogRecord, readTopic } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import type { ArchiveCopy } from './archive-copy.js';
import { Tally } from './tally.js';

/** Counts the records of the topics of a namespace, from their beginnings to their present ends, and copies the events. */
export async function collectTally(log: Log, namespace: string, copy: ArchiveCopy): Promise<Tally> {
  const tally = new Tally();
  const readers: ReadonlyArray<[TopicName, (record: LogRecord) => void]> = [
    [
      'eventAccepted',
      (record) => {
        tally.addAccepted(record);
        copy.add(record);
      },
    ],
    ['eventRejected', (record) => tally.addRejected(record)],
    ['featureUpdated', (record) => tally.addFeature(record)],
    ['scoreComputed', (record) => tally.addScore(record)],
    ['stageChanged', (record) => tally.addStageChange(record)],
    ['segmentChanged', (record) => tally.addSegmentChange(record)],
    ['actionDecided', (record) => tally.addAction(record)],
  ];
  const groupId = `perennial.${namespace}.demo-tally-${createRandomToken()}`;
  await Promise.all(
    readers.map(([topic, onRecord]) =>
      readTopic(log, { topic: toTopic(namespace, topic), groupId: `${groupId}-${topic}`, onRecord }),
    ),
  );
  return tally;
}
