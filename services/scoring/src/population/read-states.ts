import { toParts } from '@perennial/identity';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { StoredScoring } from '../joins.js';
import { PROCESSOR_NAME } from '../processor.js';
import type { ReadPartitionStates } from './measure.js';

/** States per round trip. */
const CHUNK = 500;

/** The command that is needed; ioredis has it. */
export interface StateScanner {
  hscanBuffer(key: string, cursor: string, count: 'COUNT', n: number): Promise<[cursor: Buffer, elements: Buffer[]]>;
}

/** Reads the states of a partition while its owner goes on. A state that cannot be read fails the whole reading. */
export function createPartitionReader(
  redis: StateScanner,
  { namespace, decode }: { readonly namespace: string; readonly decode: (bytes: Buffer) => StoredScoring },
): ReadPartitionStates {
  return async function* read(partition) {
    const { states } = toPartitionKeys(namespace, PROCESSOR_NAME, partition);
    let cursor = '0';
    do {
      const [next, elements] = await redis.hscanBuffer(states, cursor, 'COUNT', CHUNK);
      // Name and value in turn.
      yield elements
        .filter((_, index) => index % 2 === 1)
        .flatMap((bytes) => {
          // One that has joined another is counted there.
          const { node, profile } = toParts(decode(bytes));
          return node.kind === 'forwarder' || profile === undefined ? [] : [profile];
        });
      cursor = next.toString();
    } while (cursor !== '0');
  };
}
