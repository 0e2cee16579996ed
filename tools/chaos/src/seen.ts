import { toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import type { Seen } from './person-checks.js';
import { readAll } from './read-whole.js';

/** Reads what outsiders saw of the profiles; `staged` is of the states. */
export async function readSeen(log: Log, namespace: string, staged: Seen['staged']): Promise<Seen> {
  const read = (topic: Parameters<typeof toTopic>[1]) => readAll(log, toTopic(namespace, topic));
  return {
    featureUpdated: await read('featureUpdated'),
    actionDecided: await read('actionDecided'),
    segmentChanged: await read('segmentChanged'),
    staged,
  };
}
