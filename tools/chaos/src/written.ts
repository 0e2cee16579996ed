import {
  AcceptedRecord,
  FeatureRecord,
  HEADERS,
  isAfter,
  type ProcessorName,
  parsePosition,
  ScoreRecord,
  toTopic,
} from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { toSha256 } from '@perennial/kernel';
import { readWhole } from './read-whole.js';
import { toPresentRecord } from './releases.js';

/** Topics between the processors. */
export const INNER_TOPICS = ['eventAccepted', 'featureUpdated', 'scoreComputed'] as const;
type InnerTopic = (typeof INNER_TOPICS)[number];

/** Who writes into each besides ingest, and what its records are. */
const KINDS: Readonly<
  Record<InnerTopic, { readonly writers: readonly ProcessorName[]; readonly decode: (bytes: Buffer) => unknown }>
> = {
  eventAccepted: { writers: ['feature-store'], decode: (bytes) => AcceptedRecord.decode(bytes).record },
  featureUpdated: { writers: ['feature-store'], decode: (bytes) => FeatureRecord.decode(bytes).record },
  scoreComputed: { writers: ['scoring', 'action'], decode: (bytes) => ScoreRecord.decode(bytes).record },
};

/** Ends of a topic by partition. */
export type Ends = ReadonlyMap<string, number>;

/** What the processors wrote: a hash of each record by the position that it carries. */
export interface Written {
  readonly byPosition: ReadonlyMap<string, string>;
  /** Positions with two contents, or out of order. */
  readonly violations: readonly string[];
}

/** Where each partition of the topics between the processors ends now. */
export async function readEnds(log: Log, namespace: string): Promise<Ends> {
  const ends = new Map<string, number>();
  for (const topic of INNER_TOPICS) {
    for (const [partition, { high }] of await log.offsets(toTopic(namespace, topic)))
      ends.set(toPlace(topic, partition), high);
  }
  return ends;
}

/**
 * What the processors wrote into the topics between them before the ends, and from there on. The run without faults reads what
 * the one with faults wrote, and writes all of it again behind it: both must be the same, record by record.
 */
export async function readWritten(
  log: Log,
  { namespace, ends }: { readonly namespace: string; readonly ends: Ends },
): Promise<{ readonly before: Written; readonly after: Written }> {
  const [before, after] = [new WrittenRecords(), new WrittenRecords()];
  for (const topic of INNER_TOPICS) {
    await readWhole(log, toTopic(namespace, topic), (record) => {
      const isBefore = record.offset < (ends.get(toPlace(topic, record.partition)) ?? 0);
      (isBefore ? before : after).take(topic, record);
    });
  }
  return { before, after };
}

type WrittenRecord = Pick<LogRecord, 'partition' | 'key' | 'value' | 'headers'>;

/** The records of each partition are taken in order. */
export class WrittenRecords implements Written {
  readonly byPosition = new Map<string, string>();
  readonly violations: string[] = [];
  readonly #highest = new Map<string, { readonly offset: number; readonly ordinal: number }>();

  take(topic: InnerTopic, { partition, key, value, headers }: WrittenRecord): void {
    const position = parsePosition(headers[HEADERS.position]);
    if (position === undefined || value === null || !isOf(topic, position.source)) return;
    // What chaos has written.
    if (!isDecodable(topic, value)) return;
    const record = toPresentRecord(topic, value);
    const { source, offset, ordinal } = position;
    const name = `${topic} ${source}:${offset}:${ordinal}`;
    const content = toSha256(Buffer.concat([Buffer.from(`${partition} ${key ?? ''} `), record])).slice(0, 16);
    const known = this.byPosition.get(name);
    if (known !== undefined) {
      if (known !== content) this.violations.push(`${name} came with two contents`);
      return;
    }
    this.byPosition.set(name, content);
    const way = `${source} ${topic} ${partition}`;
    const last = this.#highest.get(way);
    if (last === undefined || isAfter(position, last)) this.#highest.set(way, position);
    else this.violations.push(`${name} first came behind ${last.offset}:${last.ordinal}: it is dropped as a repeat`);
  }
}

function isOf(topic: InnerTopic, source: string): boolean {
  return KINDS[topic].writers.some((writer) => source.startsWith(`${writer}/`));
}

function isDecodable(topic: InnerTopic, bytes: Buffer): boolean {
  try {
    return KINDS[topic].decode(bytes) !== undefined;
  } catch {
    return false;
  }
}

function toPlace(topic: InnerTopic, partition: number): string {
  return `${topic}/${partition}`;
}
