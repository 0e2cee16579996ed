import { toPartition } from '@perennial/contracts';
import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { toPartitionKeys } from './keys.js';
import { READER_FIELDS, type ReadablePartition, toReadablePartition } from './reader.js';

/** The two commands that the reader needs; ioredis has them. */
export interface HashReader {
  hmget(key: string, ...fields: string[]): Promise<Array<string | null>>;
  hgetBuffer(key: string, field: string): Promise<Buffer | null>;
}

/** A key's state as stored. */
interface StoredState<State> extends ReadablePartition {
  /** Undefined for an unknown key. */
  readonly state: State | undefined;
}

/**
 * Returns states in the order of the keys, whichever instance owns their partitions. Throws a retriable
 * `dependency_unavailable` when the store is unavailable or a partition is being restored, and
 * `dependency_misconfigured` for a state that this release cannot read, such as one of a newer release: that is a
 * server error, not a client error.
 */
export type ReadStates<State> = (keys: readonly string[]) => Promise<ReadonlyArray<StoredState<State>>>;

/**
 * Reads states as the processor wrote them, and never writes. All commands of a call are sent at once, so that
 * autopipelining makes one round trip of them (one for each node on a cluster): one read for each key, and one for each
 * partition for its log time.
 */
export function createStateReader<State>(
  redis: HashReader,
  options: {
    readonly namespace: string;
    readonly processor: string;
    readonly partitions: number;
    readonly decode: (bytes: Buffer) => State;
    /**
     * Refreshes what this process knows, such as artifacts that came into force since it started. An unreadable state
     * is tried once more after it.
     */
    readonly refresh?: () => Promise<void>;
  },
): ReadStates<State> {
  const { namespace, processor, partitions, decode, refresh } = options;

  async function readState(key: string, known: Map<number, Promise<ReadablePartition>>): Promise<StoredState<State>> {
    const partition = toPartition(key, partitions);
    const keys = toPartitionKeys(namespace, processor, partition);
    const state = redis.hgetBuffer(keys.states, key);
    const meta =
      known.get(partition) ??
      redis.hmget(keys.meta, ...READER_FIELDS).then((fields) => toReadablePartition(fields, partition));
    known.set(partition, meta);
    const [bytes, readable] = await Promise.all([state, meta]);
    return { ...readable, state: bytes === null ? undefined : await decodeStored(bytes, { decode, refresh }) };
  }

  return async (keys) => {
    const known = new Map<number, Promise<ReadablePartition>>();
    try {
      return await Promise.all(keys.map((key) => readState(key, known)));
    } catch (error) {
      if (isAppError(error)) throw error;
      throw new AppError('dependency_unavailable', `cannot read states from Redis: ${toMessage(error)}`, {
        retriable: true,
        cause: error,
      });
    }
  };
}

async function decodeStored<State>(
  bytes: Buffer,
  {
    decode,
    refresh,
  }: { readonly decode: (bytes: Buffer) => State; readonly refresh: (() => Promise<void>) | undefined },
): Promise<State> {
  try {
    return decode(bytes);
  } catch (error) {
    if (refresh === undefined) throw new AppError('dependency_misconfigured', toMessage(error), { cause: error });
    await refresh();
    return decodeStored(bytes, { decode, refresh: undefined });
  }
}
