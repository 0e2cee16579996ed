import { createHash } from 'node:crypto';
import type { Rollout } from '@perennial/contracts';
import { AppError, assert, toMessage } from '@perennial/kernel';
import type { Redis } from '@perennial/redis';
import { toPartitionKeys } from './keys.js';
import { ACQUIRE_SCRIPT, COMMIT_SCRIPT, LOAD_SCRIPT, PEEK_SCRIPT, SCAN_SCRIPT, WIPE_SCRIPT } from './redis-scripts.js';
import type {
  CommitRequest,
  Fence,
  LoadReply,
  LoadRequest,
  PartitionMeta,
  PartitionStore,
  ProfileReading,
  ReadGuard,
  StoredOutbox,
} from './store.js';
import { SCAN_START } from './store.js';

type Argument = string | number | Buffer;
type Script = (...args: Argument[]) => Promise<unknown>;

const KEY_COUNT = 4;

/** The store of one partition in Redis. Throws AppError `fenced`, or a retriable `dependency_unavailable`. */
export function createRedisPartitionStore(
  redis: Redis,
  options: { namespace: string; processor: string; partition: number },
): PartitionStore {
  const scripts = {
    acquire: createScript(redis, ACQUIRE_SCRIPT),
    load: createScript(redis, LOAD_SCRIPT),
    commit: createScript(redis, COMMIT_SCRIPT),
    scan: createScript(redis, SCAN_SCRIPT),
    peek: createScript(redis, PEEK_SCRIPT),
    wipe: createScript(redis, WIPE_SCRIPT),
  };
  const names = toPartitionKeys(options.namespace, options.processor, options.partition);
  const keys = [names.meta, names.states, names.timers, names.outbox];

  return {
    async acquire(owner) {
      const [meta, outbox] = (await run(() => scripts.acquire(...keys, owner))) as [Array<Buffer | null>, Buffer[]];
      return { meta: parseMeta(meta), outboxes: parseOutboxes(outbox) };
    },

    async load(fence, request) {
      const args = [...keys, ...toFenceArguments(fence), ...toLoadArguments(request)];
      return parseLoadReply(await run(() => scripts.load(...args)), request);
    },

    async commit(fence, request) {
      await run(() => scripts.commit(...keys, ...toFenceArguments(fence), ...toCommitArguments(request)));
    },

    async scan(guard, { cursor, count }) {
      const reply = (await run(() => scripts.scan(...keys, ...toGuardArguments(guard), cursor, count))) as [
        ...ReadingHead,
        flat: Buffer[],
        cursor: Buffer,
      ];
      const [, , , , flat, after] = reply;
      const found = flat.filter((_, i) => i % 2 === 0).map(String);
      const states = flat.filter((_, i) => i % 2 === 1);
      const goOn = String(after);
      return { ...parseReading(reply, found, states), cursor: goOn === SCAN_START ? undefined : goOn };
    },

    async peek(guard, wanted) {
      const reply = (await run(() => scripts.peek(...keys, ...toGuardArguments(guard), ...wanted))) as [
        ...ReadingHead,
        states: Array<Buffer | null>,
      ];
      return parseReading(reply, wanted, reply[4]);
    },

    async wipe(owner) {
      await run(() => scripts.wipe(...keys, owner));
    },
  };
}

/**
 * Runs a script by its hash, and sends the source where Redis does not know it yet. It does not use ioredis's
 * `defineCommand`: a pipeline that is already filling on this connection does not know the new command, and throws
 * where no caller can catch it.
 */
function createScript(redis: Redis, lua: string): Script {
  const hash = createHash('sha1').update(lua).digest('hex');
  // Missing in ioredis's types.
  const { evalshaBuffer, evalBuffer } = redis as unknown as { evalshaBuffer: Script; evalBuffer: Script };
  return async (...args) => {
    try {
      return await evalshaBuffer.call(redis, hash, KEY_COUNT, ...args);
    } catch (error) {
      if (!toMessage(error).startsWith('NOSCRIPT')) throw error;
      return evalBuffer.call(redis, lua, KEY_COUNT, ...args);
    }
  };
}

async function run(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const message = toMessage(error);
    if (message.includes('FENCED'))
      throw new AppError('fenced', 'another owner holds the partition, or the store lost writes');
    throw new AppError('dependency_unavailable', `redis: ${message}`, { retriable: true, cause: error });
  }
}

function toFenceArguments(fence: Fence): Argument[] {
  return [fence.owner, fence.next, fence.commits];
}

function toGuardArguments(guard: ReadGuard): Argument[] {
  return [guard.owner, guard.nextMin];
}

/** Next, ordinal, outboxes and due times. */
type ReadingHead = [next: Buffer, ordinal: Buffer, outboxes: number, dueTimes: Array<Buffer | null>];

function parseReading(
  [next, ordinal, outboxes, dueTimes]: readonly [...ReadingHead, ...unknown[]],
  keys: readonly string[],
  states: ReadonlyArray<Buffer | null>,
): ProfileReading {
  assert(dueTimes.length === keys.length && states.length === keys.length, 'a reading answers every key');
  const profiles = keys.map((key, i) => {
    const due = dueTimes[i] ?? null;
    return { key, state: states[i] ?? null, dueAtMs: due === null ? null : Number(String(due)) };
  });
  return { next: Number(String(next)), ordinal: Number(String(ordinal)), outboxes, profiles };
}

function toLoadArguments(request: LoadRequest): Argument[] {
  return [request.timers?.upToMs ?? '', request.timers?.limit ?? 0, ...request.keys];
}

function toCommitArguments({ meta, states, timers, outbox, acknowledged }: CommitRequest): Argument[] {
  const args: Argument[] = [
    meta.next,
    meta.ordinal,
    meta.logTimeMs,
    meta.sequence,
    JSON.stringify(meta.inForce),
    JSON.stringify(meta.applied),
    meta.restoring ?? '',
    meta.commits,
  ];
  args.push(acknowledged.length, ...acknowledged);
  args.push(outbox?.sequence ?? '', outbox?.bytes ?? '');
  pushPresent(args, states, (list, key, state) => list.push(key, state));
  pushPresent(args, timers, (list, key, dueAtMs) => list.push(dueAtMs, key));
  return args;
}

/** Count and entries of what is set, then count and keys of what is removed. */
function pushPresent<V>(
  args: Argument[],
  entries: ReadonlyArray<readonly [string, V | null]>,
  push: (list: Argument[], key: string, value: V) => void,
): void {
  const set: Argument[] = [];
  const removed: string[] = [];
  for (const [key, value] of entries) {
    if (value === null) removed.push(key);
    else push(set, key, value);
  }
  args.push(set.length / 2);
  for (const argument of set) args.push(argument);
  args.push(removed.length, ...removed);
}

function parseMeta(fields: ReadonlyArray<Buffer | null>): PartitionMeta | undefined {
  const [next, ordinal, logTime, sequence, inForce, applied, restoring, commits] = fields.map((field) =>
    field?.toString(),
  );
  if (next === undefined) return undefined;
  return {
    next: Number(next),
    ordinal: Number(ordinal),
    // Absent in metas written by a version that did not count commits.
    commits: Number(commits ?? 0),
    logTimeMs: Number(logTime),
    sequence: Number(sequence),
    inForce: JSON.parse(inForce ?? '[]') as Rollout[],
    applied: JSON.parse(applied ?? '{}') as PartitionMeta['applied'],
    ...(restoring === undefined || restoring === '' ? {} : { restoring }),
  };
}

function parseOutboxes(flat: readonly Buffer[]): StoredOutbox[] {
  const outboxes: StoredOutbox[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    outboxes.push({ sequence: Number(String(flat[i])), bytes: flat[i + 1] as Buffer });
  }
  return outboxes.sort((a, b) => a.sequence - b.sequence);
}

function parseLoadReply(reply: unknown, request: LoadRequest): LoadReply {
  const [states, flat, timerStates, later] = reply as [
    Array<Buffer | null>,
    Buffer[],
    Array<Buffer | null>,
    Buffer | null,
  ];
  assert(states.length === request.keys.length, 'a load answers every key');
  const timers = timerStates.map((state, i) => ({
    key: String(flat[2 * i]),
    dueAtMs: Number(String(flat[2 * i + 1])),
    state,
  }));
  return { states, timers, nextTimerAtMs: later === null ? undefined : Number(String(later)) };
}
