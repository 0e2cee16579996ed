import { toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import type { Seen } from './person-checks.js';
import { readAll } from './read-whole.js';
import { toPresentState } from './releases.js';

/** First byte of a state in scoring that waits for an unmerge: its profile has joined another one, and has no stage now. */
const JOINED_VERSION = 16;

/** Reads what outsiders saw of the profiles; `staged` is of the states. */
export async function readSeen(deps: {
  readonly log: Log;
  readonly redis: Redis;
  readonly namespace: string;
  readonly partitions: number;
}): Promise<Seen> {
  const { log, namespace } = deps;
  const read = (topic: Parameters<typeof toTopic>[1]) => readAll(log, toTopic(namespace, topic));
  return {
    featureUpdated: await read('featureUpdated'),
    actionDecided: await read('actionDecided'),
    segmentChanged: await read('segmentChanged'),
    staged: await readStaged(deps),
  };
}

async function readStaged({
  redis,
  namespace,
  partitions,
}: Pick<Parameters<typeof readSeen>[0], 'redis' | 'namespace' | 'partitions'>): Promise<Set<string>> {
  const staged = new Set<string>();
  for (let partition = 0; partition < partitions; partition++) {
    const states = await redis.hgetallBuffer(toPartitionKeys(namespace, 'scoring', partition).states);
    for (const [key, state] of Object.entries(states)) if (toPresentState(state)[0] !== JOINED_VERSION) staged.add(key);
  }
  return staged;
}
