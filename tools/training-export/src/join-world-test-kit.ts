import { createFolderBlobStore } from '@perennial/blob-store';
import {
  AcceptedEvent,
  AcceptedRecord,
  encodePosition,
  HEADERS,
  type ProfileRef,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { EventArchive, ParquetFileWriter } from '@perennial/event-archive';
import { readJoined } from '@perennial/identity';
import type { LogRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { createParts } from '@perennial/service-feature-store';
import { createMetrics } from '@perennial/telemetry';

const NAMESPACE = 'live';
const PARTITIONS = 3;
const TOPIC = toTopic(NAMESPACE, 'eventAccepted');

export const ARTIFACTS = {
  load: async () => Buffer.alloc(0),
  list: async () => [],
  put: async () => {
    throw new Error('nothing is stored here');
  },
};

const metrics = createMetrics({ service: 'feature-store', namespace: NAMESPACE, processMetrics: false });
const config = { secret: 'a secret of this test that is long enough' };
const { definition, specs } = createParts({ config, namespace: NAMESPACE, metrics, artifactStore: ARTIFACTS });
type Stored = ReturnType<typeof definition.codec.decode>;

export const SPEC = specs.initial;

export function toUser(id: string): ProfileRef {
  return { key: `user-${id}`, strength: 240, subject: Buffer.from(id) };
}

export function toDevice(id: string): ProfileRef {
  return { key: `device-${id}`, strength: 16, subject: Buffer.from(id) };
}

export interface SentEvent {
  readonly self: ProfileRef;
  readonly claims?: ProfileRef | undefined;
  readonly alias?: ProfileRef | undefined;
  readonly messageId: string;
  readonly name: string;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  readonly amount: number;
}

interface Partition {
  readonly log: LogRecord[];
  next: number;
  logTimeMs: number;
}

/** The feature-store's own processor over some partitions in memory, whose logs are written as an archive. */
export class JoinWorld {
  readonly #partitions = Array.from({ length: PARTITIONS }, (): Partition => ({ log: [], next: 0, logTimeMs: 0 }));
  readonly #states = new Map<string, Stored>();

  send({ self, claims, alias, ...event }: SentEvent): void {
    const named = [
      ...(claims === undefined ? [] : [{ profile: claims, alias: false }]),
      ...(alias === undefined ? [] : [{ profile: alias, alias: true }]),
    ];
    this.sendRecord(self.key, {
      $case: 'event',
      value: {
        ...AcceptedEvent.decode(new Uint8Array()),
        ...event,
        sourceId: 's',
        type: 'track',
        subject: self.subject,
        anonymous: self.strength === 16,
        propertiesJson: Buffer.from(JSON.stringify({ order_id: event.messageId })),
        namedIds: named as never,
      },
    });
  }

  sendRecord(key: string, record: AcceptedRecord['record']): void {
    const value = Buffer.from(AcceptedRecord.encode({ record }).finish());
    this.#append(this.#partitionOf(key), { key: Buffer.from(key), value, headers: {} });
  }

  tick(timeMs: number): void {
    for (const partition of this.#partitions.keys()) {
      const value = Buffer.from(AcceptedRecord.encode({ record: { $case: 'tick', value: { timeMs } } }).finish());
      this.#append(partition, { key: null, value, headers: {} });
      must(this.#partitions[partition], 'a partition').logTimeMs = timeMs;
    }
  }

  /** Takes all that was sent, and what comes of it. */
  async settle(): Promise<void> {
    for (let again = true; again; ) {
      again = false;
      for (const [index, partition] of this.#partitions.entries()) {
        while (partition.next < partition.log.length) {
          await this.#step(index, must(partition.log[partition.next++], 'a record'));
          again = true;
        }
      }
    }
  }

  /** What is served of the profile of a key, and that profile; undefined where it has no events. */
  async serve(key: string, atMs: number) {
    const readStates = async (keys: readonly string[]) =>
      keys.map((one) => ({ state: this.#states.get(one), logTimeMs: atMs, inForce: new Map() }));
    const [found] = await readJoined<NonNullable<Extract<Stored, { engine: unknown }>>, never>(readStates as never, [
      key,
    ]);
    const { parts, key: root } = must(found, 'a profile');
    const { profile } = parts;
    if (profile === undefined || profile.lastEventAtMs === 0) return undefined;
    return { root, values: [...SPEC.vector(profile.engine, atMs).values] };
  }

  async writeArchive(folder: string): Promise<EventArchive> {
    const archive = new EventArchive(createFolderBlobStore(folder), NAMESPACE);
    for (const [partition, { log }] of this.#partitions.entries()) {
      const writer = new ParquetFileWriter({ rowGroupRows: 100 });
      for (const record of log) writer.add(record);
      const stretch = { partition, first: 0, last: log.length - 1, appendTimeMs: must(log[0], 'a record').timestampMs };
      await archive.write(stretch, writer.finish());
    }
    return archive;
  }

  async #step(partition: number, record: LogRecord): Promise<void> {
    const decoded = definition.decode(record);
    if (decoded.kind !== 'record') return;
    const { key, input } = decoded;
    const { logTimeMs } = must(this.#partitions[partition], 'a partition');
    const { offset } = record;
    const context = { key, partition, offset, ordinal: 0, logTimeMs, inForce: new Map() };
    const item = { state: this.#states.get(key), cause: { kind: 'record' as const, input }, context };
    const [evidence] = await must(definition.prepare, 'it prepares')([item]);
    const { state, outputs } = definition.step(item, must(evidence, 'evidence'));
    if (state === undefined) this.#states.delete(key);
    else this.#states.set(key, definition.codec.decode(definition.codec.encode(state)));
    for (const [ordinal, output] of outputs.entries()) {
      if (output.topic !== TOPIC) continue;
      const to = output.key ?? key;
      const headers = { [HEADERS.position]: encodePosition({ source: `feature-store/${partition}`, offset, ordinal }) };
      this.#append(this.#partitionOf(to), { key: Buffer.from(to), value: output.value, headers });
    }
  }

  #append(partition: number, record: Pick<LogRecord, 'key' | 'value' | 'headers'>): void {
    const { log } = must(this.#partitions[partition], 'a partition');
    log.push({ topic: TOPIC, partition, offset: log.length, timestampMs: Date.UTC(2026, 0), ...record });
  }

  #partitionOf(key: string): number {
    return toPartition(key, PARTITIONS);
  }
}
