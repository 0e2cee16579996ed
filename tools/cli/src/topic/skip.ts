import { randomUUID } from 'node:crypto';
import { GROUP_NAMES, GROUPS, toConsumerGroup } from '@perennial/contracts';
import { type GroupOffset, type Log, type LogRecord, type PartitionOffsets, readTopic } from '@perennial/kafka';
import { AppError, toMessage } from '@perennial/kernel';
import type { NamedTopic } from './names.js';

/** Offsets that are read to say what is skipped; of more only the number is said. */
const READ_OFFSETS_MAX = 10_000;

type GroupName = (typeof GROUP_NAMES)[number];

/** Why a skip of the group's offset would change nothing, and what gets the group on instead. */
const OWN_TRUTH = {
  processor: 'keeps its offset with its states in Redis, and makes what it cannot read a dead letter by itself',
  projection: 'keeps its offset with its rows in PostgreSQL, and passes what it cannot read by itself',
  archive: 'finds its offset by the names of its files, and archives what it cannot read by itself',
} as const;

export interface SkipRequest {
  readonly named: NamedTopic;
  readonly namespace: string;
  readonly partition: number;
  /** The first offset that the group reads again. */
  readonly to: number;
  readonly group?: string | undefined;
}

/** What a group will not read. */
export interface Skip {
  readonly at: GroupOffset;
  /** Where the group is now. */
  readonly from: number;
  /** Undefined when they were not read. */
  readonly records: SkippedRecords | undefined;
  /** Why they were not read. */
  readonly unread: string | undefined;
}

interface SkippedRecords {
  readonly count: number;
  /** Of these, records and batches that cannot be read. */
  readonly unreadable: number;
  /** Keys and values. */
  readonly bytes: number;
  readonly firstTime: string | null;
  readonly lastTime: string | null;
}

/**
 * Checks a skip and says what it leaves out; changes nothing. Throws `config_invalid` for a group that a skip does not
 * help, and for an offset that is not ahead of the group, or beyond the log.
 */
export async function planSkip(log: Log, request: SkipRequest): Promise<Skip> {
  const { named, namespace, partition, to } = request;
  const groupId = toConsumerGroup(namespace, findGroup(named, request.group));
  const place = `partition ${partition} of ${named.name}`;
  const range = (await log.offsets(named.name)).get(partition);
  if (range === undefined) throw new AppError('not_found', `there is no ${place}`);
  const committed = (await log.groupOffsets(groupId, named.name)).get(partition);
  const from = Math.max(range.low, committed ?? range.low);
  checkTarget(`group ${groupId} in ${place}`, { from, to, range });
  const at = { groupId, topic: named.name, partition, offset: to };
  return { at, from, ...(await describeSkipped(log, { ...at, from })) };
}

/** The group that reads the topic and continues where its committed offset is. */
function findGroup({ topic, name }: NamedTopic, wanted: string | undefined): GroupName {
  const readers = GROUP_NAMES.filter((group) => GROUPS[group].topic === topic);
  const movable = readers.find((group) => GROUPS[group].role === 'ingest') ?? readers[0];
  const group = wanted === undefined ? movable : readers.find((one) => one === wanted);
  if (group === undefined) {
    const known = readers.length === 0 ? 'no group of the platform' : readers.join(', ');
    throw new AppError('config_invalid', `${wanted ?? 'a skip'} does not fit: ${known} reads ${name}`);
  }
  const { role, service } = GROUPS[group];
  if (role === 'ingest') return group;
  throw new AppError(
    'config_invalid',
    `${group} cannot skip: it ${OWN_TRUTH[role]}. If a partition of it stands still, \`./perennial status\` says why: see docs/runbooks/stalled-partitions.md (service ${service})`,
  );
}

function checkTarget(what: string, { from, to, range }: { from: number; to: number; range: PartitionOffsets }): void {
  if (to <= from)
    throw new AppError('config_invalid', `${what} is at offset ${from}: --to ${to} does not lie ahead of it`);
  if (to > range.high)
    throw new AppError(
      'config_invalid',
      `${what}: --to ${to} lies beyond the end of the log, ${range.high} (an open transaction counts as beyond it)`,
    );
}

/** A log that cannot be read is a reason to skip, so that is no failure. */
async function describeSkipped(
  log: Log,
  span: { topic: string; partition: number; from: number; offset: number },
): Promise<Pick<Skip, 'records' | 'unread'>> {
  const count = span.offset - span.from;
  if (count > READ_OFFSETS_MAX) return { records: undefined, unread: `they are more than ${READ_OFFSETS_MAX}` };
  try {
    return { records: await readSkipped(log, span), unread: undefined };
  } catch (error) {
    return { records: undefined, unread: toMessage(error) };
  }
}

async function readSkipped(
  log: Log,
  { topic, partition, from, offset: end }: { topic: string; partition: number; from: number; offset: number },
): Promise<SkippedRecords> {
  let skipped: SkippedRecords = { count: 0, unreadable: 0, bytes: 0, firstTime: null, lastTime: null };
  await readTopic(log, {
    topic,
    groupId: `perennial.cli.${randomUUID()}`,
    toStart: (one, { high }) => (one === partition ? from : high),
    onRecord: (record) => {
      if (record.offset < end) skipped = add(skipped, record);
      return record.offset >= end - 1 ? 'stop' : undefined;
    },
  });
  return skipped;
}

function add(to: SkippedRecords, { key, value, timestampMs, unreadable }: LogRecord): SkippedRecords {
  const time = new Date(timestampMs).toISOString();
  return {
    count: to.count + 1,
    unreadable: to.unreadable + (unreadable === undefined ? 0 : 1),
    bytes: to.bytes + (key?.length ?? 0) + (value?.length ?? 0),
    firstTime: to.firstTime ?? time,
    lastTime: time,
  };
}

/** One line for people and for whoever looks into it later. */
export function formatSkip({ at, from, records, unread }: Skip, { dryRun }: { dryRun: boolean }): string {
  const { groupId, topic, partition, offset } = at;
  const does = dryRun ? 'would skip' : 'skips';
  const what =
    records === undefined
      ? `records not read: ${unread}`
      : `records ${records.count}, unreadable ${records.unreadable}, bytes ${records.bytes}, appended ${records.firstTime ?? '-'} to ${records.lastTime ?? '-'}`;
  return `${groupId} ${does} offsets ${from} to ${offset - 1} of ${topic}/${partition} (${what}); it continues at ${offset}`;
}
