import { toPartition } from '@perennial/contracts';
import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { toPartitionKeys } from './keys.js';
import { READER_FIELDS, toReadableLogTime } from './reader.js';

/** The two commands it takes; ioredis has them. */
export interface HashReader {
  hmget(key: string, ...fields: string[]): Promise<Array<string | null>>;
  hgetBuffer(key: string, field: string): Promise<Buffer | null>;
}

/** A key's state as it lies in the store. */
interface StoredState<State> {
  /** Undefined for a key never seen. */
  readonly state: State | undefined;
  /** Highest tick on the key's partition, 0 before the first. */
  readonly logTimeMs: number;
}

/**
 * States in the order of the keys, whichever instance owns their partitions. Throws a retriable `dependency_unavailable` when
 * the store is away or a partition is being restored, and `dependency_misconfigured` for a state that this release cannot
 * read, such as one of a newer release: that is our fault, not the request's.
 */
export type ReadStates<State> = (keys: readonly string[]) => Promise<ReadonlyArray<StoredState<State>>>;

/**
 * Reads states as the processor wrote them, never writes. All commands of a call go out at once, so that autopipelining
 * makes one round trip of them (a node, on a cluster): one read a key, one a partition for its log time.
 */
export function createStateReader<State>(
  redis: HashReader,
  options: {
    readonly namespace: string;
    readonly processor: string;
    readonly partitions: number;
    readonly decode: (bytes: Buffer) => State;
  },
): ReadStates<State> {
  const { namespace, processor, partitions, decode } = options;

  async function readState(key: string, logTimes: Map<number, Promise<number>>): Promise<StoredState<State>> {
    const partition = toPartition(key, partitions);
    const keys = toPartitionKeys(namespace, processor, partition);
    const state = redis.hgetBuffer(keys.states, key);
    const logTime =
      logTimes.get(partition) ??
      redis.hmget(keys.meta, ...READER_FIELDS).then((fields) => toReadableLogTime(fields, partition));
    logTimes.set(partition, logTime);
    const [bytes, logTimeMs] = await Promise.all([state, logTime]);
    return { state: bytes === null ? undefined : decodeStored(bytes, decode), logTimeMs };
  }

  return async (keys) => {
    const logTimes = new Map<number, Promise<number>>();
    try {
      return await Promise.all(keys.map((key) => readState(key, logTimes)));
    } catch (error) {
      if (isAppError(error)) throw error;
      throw new AppError('dependency_unavailable', `cannot read states from Redis: ${toMessage(error)}`, {
        retriable: true,
        cause: error,
      });
    }
  };
}

function decodeStored<State>(bytes: Buffer, decode: (bytes: Buffer) => State): State {
  try {
    return decode(bytes);
  } catch (error) {
    throw new AppError('dependency_misconfigured', toMessage(error), { cause: error });
  }
}
