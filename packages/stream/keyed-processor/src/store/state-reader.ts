import { toPartition } from '@perennial/contracts';
import { AppError, isAppError, must, toMessage } from '@perennial/kernel';
import { toPartitionKeys } from './keys.js';
import { READER_FIELDS, type ReadablePartition, toReadablePartition } from './reader.js';

/** The two commands that the reader needs; ioredis has them. */
export interface HashReader {
  hmget(key: string, ...fields: string[]): Promise<Array<string | null>>;
  hmgetBuffer(key: string, ...fields: string[]): Promise<Array<Buffer | null>>;
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
 * autopipelining makes one round trip of them (one for each node on a cluster): for each partition one read of its
 * profiles and one of its log time.
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

  /** Reads the keys of one partition into their places. */
  async function readPartition(
    partition: number,
    places: readonly number[],
    { keys, states }: { readonly keys: readonly string[]; readonly states: Array<StoredState<State>> },
  ): Promise<void> {
    const stored = toPartitionKeys(namespace, processor, partition);
    const fields = places.map((place) => must(keys[place], 'a key'));
    const [bytes, meta] = await Promise.all([
      redis.hmgetBuffer(stored.states, ...fields),
      redis.hmget(stored.meta, ...READER_FIELDS),
    ]);
    const readable = toReadablePartition(meta, partition);
    for (const [index, place] of places.entries()) {
      const found = bytes[index] ?? null;
      states[place] = {
        ...readable,
        state: found === null ? undefined : await decodeStored(found, { decode, refresh }),
      };
    }
  }

  return async (keys) => {
    const places = new Map<number, number[]>();
    for (const [place, key] of keys.entries()) {
      const partition = toPartition(key, partitions);
      const others = places.get(partition);
      if (others === undefined) places.set(partition, [place]);
      else others.push(place);
    }
    const states = new Array<StoredState<State>>(keys.length);
    try {
      await Promise.all([...places].map(([partition, own]) => readPartition(partition, own, { keys, states })));
      return states;
    } catch (error) {
      if (isAppError(error)) throw error;
      throw new AppError('dependency_unavailable', `cannot read states from Redis: ${toMessage(error)}`, {
        retriable: true,
        cause: error,
      });
    }
  };
}

/**
 * What readers see of each partition, in order. Throws a retriable `dependency_unavailable` as `ReadStates` does, also
 * before a partition's first commit.
 */
export async function readPartitions(
  redis: Pick<HashReader, 'hmget'>,
  { namespace, processor, partitions }: { namespace: string; processor: string; partitions: number },
): Promise<ReadablePartition[]> {
  return Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const { meta } = toPartitionKeys(namespace, processor, partition);
      return toReadablePartition(await redis.hmget(meta, ...READER_FIELDS), partition);
    }),
  );
}

/**
 * Offset below which all records of a partition's input are in its states: what is read afterwards is as of it, or later. Throws as
 * `readPartitions`.
 */
export async function readNextOffset(
  redis: Pick<HashReader, 'hmget'>,
  { namespace, processor, partition }: { namespace: string; processor: string; partition: number },
): Promise<number> {
  const fields = await redis.hmget(toPartitionKeys(namespace, processor, partition).meta, ...READER_FIELDS);
  toReadablePartition(fields, partition);
  return Number(fields[READER_FIELDS.indexOf('next')]);
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
