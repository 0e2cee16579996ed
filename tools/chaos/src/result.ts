import { AcceptedRecord, type EventRejected, type ProcessorName, toTopic } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { toSha256 } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import { readWhole } from './read-whole.js';
import { toPresentState } from './releases.js';

/** What a run came to, in a form that two runs over one log can be compared by. */
export interface RunResult {
  /** State and timer of each profile, hashed, by processor and key. */
  readonly states: Readonly<Record<ProcessorName, ReadonlyMap<string, string>>>;
  /** What outsiders see of each profile, in order, repeats dropped by id: `<id> <content hash>`. */
  readonly actions: ReadonlyMap<string, readonly string[]>;
  readonly transitions: ReadonlyMap<string, readonly string[]>;
  /** Ids that were seen with more than one content, or numbers of transitions that are missing. */
  readonly violations: readonly string[];
  /** Records on the edges that repeat an id: harmless, and counted. */
  readonly repeats: number;
}

/** Everything a fault-free run over the same log has to come to as well. */
export async function collectResult(deps: {
  log: Log;
  redis: Redis;
  namespace: string;
  partitions: number;
}): Promise<RunResult> {
  const states = {
    'feature-store': await readStates(deps, 'feature-store'),
    scoring: await readStates(deps, 'scoring'),
    action: await readStates(deps, 'action'),
  };
  const { log, namespace } = deps;
  const actions = toSeen(await readAll(log, toTopic(namespace, 'actionDecided')));
  const transitions = toSeen(await readAll(log, toTopic(namespace, 'stageChanged')));
  return {
    states,
    actions: actions.byProfile,
    transitions: transitions.byProfile,
    violations: [...actions.violations, ...transitions.violations, ...findGaps(transitions.numbers)],
    repeats: actions.repeats + transitions.repeats,
  };
}

async function readStates(
  { redis, namespace, partitions }: { redis: Redis; namespace: string; partitions: number },
  processor: ProcessorName,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (let partition = 0; partition < partitions; partition++) {
    const keys = toPartitionKeys(namespace, processor, partition);
    const states = await redis.hgetallBuffer(keys.states);
    const timers = (await redis.call('ZRANGE', keys.timers, '0', '-1', 'WITHSCORES')) as ReadonlyArray<
      [string, string]
    >;
    const dueAt = new Map(timers.map(([key, due]) => [String(key), String(due)]));
    for (const [key, state] of Object.entries(states)) {
      const present = toPresentState(state);
      hashes.set(key, toSha256(Buffer.concat([present, Buffer.from(`|${dueAt.get(key) ?? ''}`)])));
      dueAt.delete(key);
    }
    for (const [key, due] of dueAt) hashes.set(key, `a timer without a state, ${due}`);
  }
  return hashes;
}

interface Seen {
  readonly byProfile: Map<string, string[]>;
  readonly numbers: Map<string, number[]>;
  readonly violations: string[];
  repeats: number;
}

/** Reads an edge as an outsider does: each id once, whatever else comes under it is a repeat and must be the same. */
function toSeen(records: readonly LogRecord[]): Seen {
  const contents = new Map<string, string>();
  const seen: Seen = { byProfile: new Map(), numbers: new Map(), violations: [], repeats: 0 };
  for (const record of records) {
    const id = record.headers.ce_id;
    if (id === undefined || record.key === null) continue;
    const content = toSha256(record.value ?? Buffer.alloc(0)).slice(0, 16);
    const known = contents.get(id);
    if (known !== undefined) {
      seen.repeats++;
      if (known !== content) seen.violations.push(`${record.topic}: id ${id} came with two contents`);
      continue;
    }
    contents.set(id, content);
    push(seen.byProfile, String(record.key), `${id} ${content}`);
    const { number } = JSON.parse(String(record.value)) as { number?: unknown };
    if (typeof number === 'number') push(seen.numbers, String(record.key), number);
  }
  return seen;
}

function findGaps(numbers: ReadonlyMap<string, readonly number[]>): string[] {
  return [...numbers].flatMap(([key, list]) =>
    list.every((number, index) => number === index + 1)
      ? []
      : [`transitions of ${key} are numbered ${list.join(', ')}`],
  );
}

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** What became of the events, by `messageId`, and how many records came to nothing. */
export interface Fates {
  readonly accepted: ReadonlySet<string>;
  readonly rejected: ReadonlySet<string>;
  /** Records of `event.accepted` beyond the first of their `messageId`. */
  readonly repeated: number;
  readonly rejectedRecords: number;
  readonly deadLettered: number;
  /** By how much a tick was ahead of the broker's clock when it was appended, at most: from the future there is no way back. */
  readonly tickAheadMs: number;
}

export async function readFates(log: Log, namespace: string): Promise<Fates> {
  const accepted = new Set<string>();
  let records = 0;
  let tickAheadMs = 0;
  for (const { value, timestampMs } of await readAll(log, toTopic(namespace, 'eventAccepted'))) {
    const record = decodeAccepted(value);
    if (record?.$case === 'tick') tickAheadMs = Math.max(tickAheadMs, record.value.timeMs - timestampMs);
    if (record?.$case !== 'event') continue;
    accepted.add(record.value.messageId);
    records++;
  }
  const rejections = await readAll(log, toTopic(namespace, 'eventRejected'));
  const rejected = new Set(rejections.map(toRejectedId).filter((id) => id !== undefined));
  return {
    accepted,
    rejected,
    repeated: records - accepted.size,
    rejectedRecords: rejections.length,
    tickAheadMs,
    deadLettered: (await readAll(log, toTopic(namespace, 'deadLettered'))).length,
  };
}

/** Undefined for what chaos has put there. */
function decodeAccepted(value: Buffer | null): AcceptedRecord['record'] {
  try {
    return AcceptedRecord.decode(value ?? Buffer.alloc(0)).record;
  } catch {
    return undefined;
  }
}

/** The id of a rejected event; undefined for what was no event at all. */
function toRejectedId({ value }: LogRecord): string | undefined {
  const { event, encoding } = JSON.parse(String(value)) as EventRejected;
  return encoding === 'json' ? (JSON.parse(event) as { messageId?: string } | null)?.messageId : undefined;
}

/** A topic from its beginning to its present end, partition by partition in order. */
async function readAll(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await readWhole(log, topic, (record) => void records.push(record));
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}
