import type { Redis } from '@perennial/redis';
import { toPartitionKeys } from './keys.js';
import { READER_FIELDS, type ReadablePartition, toReadablePartition } from './reader.js';

/** KEYS: meta, states. ARGV: cursor, count, then keys. Returns meta fields, the next cursor, and states by key. */
const READ_PAGE = `
local page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', ARGV[2])
local found = page[2]
for i = 3, #ARGV do
  local state = redis.call('HGET', KEYS[2], ARGV[i])
  if state then found[#found + 1] = ARGV[i]; found[#found + 1] = state end
end
return {redis.call('HMGET', KEYS[1], 'ordinal', ${READER_FIELDS.map((field) => `'${field}'`).join(', ')}), page[1], found}
`;

type EvalBuffer = (script: string, keyCount: number, ...args: ReadonlyArray<string | number>) => Promise<unknown>;

/** Some states of a partition, all read at one moment. */
export interface StatePage extends ReadablePartition {
  readonly partition: number;
  /** Every record below this offset is in the states, and none above. */
  readonly next: number;
  /** True while a tick's timers take several commits: some states are ahead of `next`. */
  readonly isAmidTick: boolean;
  /** From which the next page continues; '0' after the last one. */
  readonly cursor: string;
  /** Encoded, by key. */
  readonly states: ReadonlyMap<string, Buffer>;
}

/**
 * Reads a partition's states page by page, and those of given keys, together with the position that they correspond to.
 * Whoever follows the cursors from '0' to '0' has seen every state that was there all the time. A page may have more
 * states than `count`. Throws a retriable `dependency_unavailable` while the partition cannot be read.
 */
export async function readStatePage(
  redis: Redis,
  {
    namespace,
    processor,
    partition,
    cursor,
    count,
    keys = [],
  }: {
    readonly namespace: string;
    readonly processor: string;
    readonly partition: number;
    readonly cursor: string;
    readonly count: number;
    readonly keys?: readonly string[];
  },
): Promise<StatePage> {
  const { meta, states } = toPartitionKeys(namespace, processor, partition);
  // ioredis makes it at run time, beyond its types.
  const { evalBuffer } = redis as unknown as { evalBuffer: EvalBuffer };
  const reply = await evalBuffer.call(redis, READ_PAGE, 2, meta, states, cursor, count, ...keys);
  const [fields, next, found] = reply as [Array<Buffer | null>, Buffer, Buffer[]];
  const [ordinal, ...rest] = fields.map((field) => field?.toString() ?? null);
  const readable = toReadablePartition(rest, partition);
  const byKey = new Map<string, Buffer>();
  for (let i = 0; i + 1 < found.length; i += 2) byKey.set(String(found[i]), found[i + 1] as Buffer);
  return {
    ...readable,
    partition,
    next: Number(rest[0]),
    isAmidTick: Number(ordinal ?? 0) > 0,
    cursor: next.toString(),
    states: byKey,
  };
}
