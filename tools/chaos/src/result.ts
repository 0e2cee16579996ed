import {
  AcceptedRecord,
  type EventRejected,
  HEADERS,
  listRejectedEvents,
  type ProcessorName,
  type TopicName,
  toTopic,
} from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { toSha256 } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import type { AcceptedEntry } from '@perennial/simulation';
import { readAll } from './read-whole.js';
import { toPresentState } from './releases.js';

/** What outsiders see, by what it is called in reports. */
const EDGES = {
  actions: 'actionDecided',
  transitions: 'stageChanged',
  segments: 'segmentChanged',
  /** Of actions, as they were taken. */
  outcomes: 'actionChanged',
  cancellations: 'actionCancelled',
  exposures: 'experimentAssigned',
} as const satisfies Record<string, TopicName>;

export type EdgeName = keyof typeof EDGES;

export const EDGE_NAMES = Object.keys(EDGES) as readonly EdgeName[];

/** The outputs of each profile in one topic, in order, repeats dropped by id: `<id> <content hash>`. */
type ByProfile = ReadonlyMap<string, readonly string[]>;

/** The result of a run, in a form in which two runs over one log can be compared. */
export interface RunResult {
  /** State and timer of each profile, hashed, by processor and key. */
  readonly states: Readonly<Record<ProcessorName, ReadonlyMap<string, string>>>;
  readonly edges: Readonly<Record<EdgeName, ByProfile>>;
  /** Ids that were seen with more than one content, or numbers of missing transitions and changes of segments. */
  readonly violations: readonly string[];
  /** Records of the output topics that repeat an id: harmless, but counted. */
  readonly repeats: number;
}

/** Reads everything that must equal the result of a fault-free run over the same log. */
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
  const seen = {} as Record<EdgeName, Seen>;
  for (const name of EDGE_NAMES) seen[name] = toSeen(await readAll(log, toTopic(namespace, EDGES[name])));
  const all = EDGE_NAMES.map((name) => [name, seen[name]] as const);
  const edges = {} as Record<EdgeName, ByProfile>;
  for (const [name, { byProfile }] of all) edges[name] = byProfile;
  return {
    states,
    edges,
    // Only transitions and changes of segments are numbered.
    violations: all.flatMap(([name, { violations, numbers }]) => [...violations, ...findGaps(name, numbers)]),
    repeats: all.reduce((sum, [, { repeats }]) => sum + repeats, 0),
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

/** Reads an output topic as an outsider does: any further record of an id is a repeat and must be equal. */
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
    // The key may name more than the profile.
    const { profileKey, number } = JSON.parse(String(record.value)) as { profileKey: string; number?: unknown };
    push(seen.byProfile, profileKey, `${id} ${content}`);
    if (typeof number === 'number') push(seen.numbers, profileKey, number);
  }
  return seen;
}

function findGaps(what: string, numbers: ReadonlyMap<string, readonly number[]>): string[] {
  return [...numbers].flatMap(([key, list]) =>
    list.every((number, index) => number === index + 1) ? [] : [`${what} of ${key} are numbered ${list.join(', ')}`],
  );
}

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Reads the result of each event, by `messageId`, and the number of poison records. */
export interface Fates {
  readonly accepted: ReadonlySet<string>;
  /** The decodable records of `event.accepted`, in the order of their partitions. */
  readonly entries: readonly AcceptedEntry[];
  readonly rejected: ReadonlySet<string>;
  /** Records of `event.accepted` beyond the first of their `messageId`. */
  readonly repeated: number;
  readonly rejectedRecords: number;
  readonly deadLettered: number;
  /** Maximum by which a tick was ahead of the broker's clock when it was appended: log time never goes back. */
  readonly tickAheadMs: number;
}

export async function readFates(log: Log, namespace: string): Promise<Fates> {
  const accepted = new Set<string>();
  const entries: AcceptedEntry[] = [];
  let records = 0;
  let tickAheadMs = 0;
  for (const { key, value, headers, timestampMs } of await readAll(log, toTopic(namespace, 'eventAccepted'))) {
    const record = decodeAccepted(value);
    if (record?.$case === 'tick') tickAheadMs = Math.max(tickAheadMs, record.value.timeMs - timestampMs);
    if (record === undefined || key === null) continue;
    entries.push({ key: String(key), position: headers[HEADERS.position], record });
    // A copy for another key, of one that was accepted.
    if (record.$case !== 'event' || record.value.forwardedTo !== undefined) continue;
    accepted.add(record.value.messageId);
    records++;
  }
  const rejections = await readAll(log, toTopic(namespace, 'eventRejected'));
  const rejected = new Set(rejections.flatMap(toRejectedIds));
  return {
    accepted,
    entries,
    rejected,
    repeated: records - accepted.size,
    rejectedRecords: rejections.length,
    tickAheadMs,
    deadLettered: (await readAll(log, toTopic(namespace, 'deadLettered'))).length,
  };
}

/** Undefined for records that chaos has written. */
function decodeAccepted(value: Buffer | null): AcceptedRecord['record'] {
  try {
    return AcceptedRecord.decode(value ?? Buffer.alloc(0)).record;
  } catch {
    return undefined;
  }
}

/** The ids of rejected events; none of what was not an event. */
function toRejectedIds({ value }: LogRecord): string[] {
  const data = JSON.parse(String(value)) as EventRejected;
  if (data.encoding !== 'json') return [];
  return listRejectedEvents(data)
    .map(({ event }) => (JSON.parse(event) as { messageId?: string } | null)?.messageId)
    .filter((id) => id !== undefined);
}
