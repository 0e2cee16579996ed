import type { ArtifactStore } from '@perennial/artifacts';
import {
  type AcceptedEvent,
  AcceptedRecord,
  type Control,
  encodeControl,
  FeatureRecord,
  type Rollout,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, encodeFeatureSpec, type FeatureDefinition, FeatureSpecs } from '@perennial/feature-engine';
import { ID_STRENGTHS, type ProfileRef } from '@perennial/identity';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { type Cause, createLogReader, type Output } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import { createAccountTelemetry } from '../accounts/account-telemetry.js';
import { createFeatureArtifacts } from '../artifacts.js';
import type { AcceptedInput } from '../identity/identity-records.js';
import { createIdentityTelemetry } from '../identity/identity-telemetry.js';
import { createJoiningProcessor } from '../identity/joining-processor.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { createTagTelemetry } from '../tags/tag-telemetry.js';
import { createFeatureTelemetry } from '../telemetry.js';
import type { FillTarget } from './fill-fold.js';

export const NAMESPACE = 'live';
export const PARTITIONS = 2;
const TOPIC = toTopic(NAMESPACE, 'eventAccepted');

export type TestRecord = Parameters<ReturnType<typeof createLogReader>['read']>[0][number];

/** An event of a profile; times in ms. */
export interface TestEvent {
  readonly key: string;
  readonly messageId: string;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  readonly type: string;
  readonly name: string;
  readonly properties: unknown;
  /** The key of a device that is this profile's. */
  readonly claims?: string | undefined;
}

/** Artifacts in memory. */
export function createMemoryArtifacts(...specs: ReadonlyArray<readonly FeatureDefinition[]>) {
  const bytesByHash = new Map<string, Buffer>();
  const store: Pick<ArtifactStore, 'load' | 'list' | 'put'> = {
    list: async () => specs.map((spec) => toSha256(encodeFeatureSpec(spec))),
    async load(_, hash) {
      const bytes = bytesByHash.get(hash);
      if (bytes === undefined) throw new AppError('not_found', `nothing is stored of ${hash}`);
      return bytes;
    },
    async put(_, bytes) {
      bytesByHash.set(toSha256(bytes), bytes);
      return toSha256(bytes);
    },
  };
  for (const spec of specs) void store.put('features', encodeFeatureSpec(spec));
  return store;
}

/** The service's processor over artifacts, without stores. */
export function createTestProcessor(store: ReturnType<typeof createMemoryArtifacts>) {
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createFeatureArtifacts(store, { specs });
  const metrics = createMetrics({ service: 'f', namespace: NAMESPACE, processMetrics: false });
  const telemetry = createFeatureTelemetry(metrics);
  const joins = createIdentityTelemetry(metrics);
  const accounts = createAccountTelemetry(metrics);
  const tags = createTagTelemetry(metrics);
  const toAccountKey = (id: string) => `account-${id}`;
  const parts = { namespace: NAMESPACE, artifacts, telemetry, specs, joins, accounts, tags, toAccountKey };
  const processor = createJoiningProcessor(parts);
  return { specs, artifacts, processor };
}

export type TestProcessor = ReturnType<typeof createTestProcessor>;

export function toTarget({ processor, artifacts, specs }: TestProcessor, hash: string): FillTarget {
  return { spec: specs.inForce({ hash }), specs, hash, definition: processor as never, rates: artifacts.rates };
}

/** One partition's log. */
export class TestLog {
  readonly records: TestRecord[] = [];
  readonly #partition: number;

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** Returns the record. */
  add(key: string | null, value: Buffer): TestRecord {
    const at = { topic: TOPIC, partition: this.#partition, offset: this.records.length, timestampMs: 0 };
    const record = { ...at, headers: {}, key: key === null ? null : Buffer.from(key), value };
    this.records.push(record);
    return record;
  }

  control(control: Control): TestRecord {
    return this.add(null, encodeControl(AcceptedRecord, control));
  }
}

interface TestUpdate {
  readonly key: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer;
}

/** A partition as the processor leaves it. */
export interface TestPartition {
  readonly states: Map<string, StoredProfile>;
  readonly inForce: Map<string, Rollout>;
  readonly reader: ReturnType<typeof createLogReader<AcceptedInput>>;
  logTimeMs: number;
}

function toAccepted({ key, properties, claims, ...fields }: TestEvent): AcceptedEvent {
  return {
    ...fields,
    sourceId: 's',
    subject: Buffer.from(`sealed ${key}`),
    anonymous: key.startsWith('device'),
    propertiesJson: Buffer.from(JSON.stringify(properties)),
    timeZone: '',
    currency: '',
    plan: { number: 1, violations: [], outliers: ['paid'] },
    namedIds: claims === undefined ? [] : [{ profile: toRef(claims), alias: false }],
    forwardedTo: undefined,
    traits: undefined,
  };
}

/** Partitions with their logs. Each record is processed at once, and what it sends to other keys right after it. */
export class TestWorld {
  readonly logs = Array.from({ length: PARTITIONS }, (_, partition) => new TestLog(partition));
  readonly partitions: readonly TestPartition[];
  readonly updates: TestUpdate[] = [];
  readonly #processor: TestProcessor['processor'];
  #sent: Output[] = [];
  #at = { partition: 0, offset: 0 };

  constructor({ processor }: TestProcessor) {
    this.#processor = processor;
    this.partitions = this.logs.map(() => ({
      states: new Map(),
      inForce: new Map(),
      reader: createLogReader<AcceptedInput>(processor as never),
      logTimeMs: 0,
    }));
  }

  async event(event: TestEvent): Promise<void> {
    await this.#send(event.key, { $case: 'event', value: toAccepted(event) });
  }

  /** A record that takes an event back which was counted. */
  async retract(event: TestEvent): Promise<void> {
    const { key, messageId } = event;
    const asked = { by: 'a test', reason: '', askedAtMs: 0, amountOnly: false, currency: 'USD', copy: false };
    await this.#send(key, {
      $case: 'retraction',
      value: { ...asked, self: toRef(key), messageId, original: toAccepted(event) },
    });
  }

  async #send(key: string, record: AcceptedRecord['record']): Promise<void> {
    const bytes = Buffer.from(AcceptedRecord.encode({ record }).finish());
    await this.process(partitionOf(key), this.#log(partitionOf(key)).add(key, bytes));
  }

  async control(partition: number, control: Control): Promise<void> {
    await this.process(partition, this.#log(partition).control(control));
  }

  async rollOut(partition: number, kind: string, number: number, hash: string): Promise<void> {
    await this.control(partition, { kind: 'rollout', rollout: { kind, number, hash } });
  }

  async process(partition: number, record: TestRecord): Promise<void> {
    await this.#take(partition, record);
    for (;;) {
      const output = this.#sent.shift();
      if (output === undefined) return;
      const key = must(output.key, 'the key of another profile');
      await this.#take(partitionOf(key), this.#log(partitionOf(key)).add(key, output.value));
    }
  }

  /** Processes a record that is in the log already, without what it sends: that is in the log too. */
  async processAgain(record: TestRecord): Promise<void> {
    await this.#take(record.partition, record);
    this.#sent = [];
  }

  async #take(index: number, record: TestRecord): Promise<void> {
    const at = must(this.partitions[index], 'a partition');
    this.#at = record;
    for (const { decoded } of await at.reader.read([record])) {
      if (decoded.kind === 'rollout') at.inForce.set(decoded.rollout.kind, decoded.rollout);
      else if (decoded.kind === 'record') await this.#step(at, decoded.key, { kind: 'record', input: decoded.input });
      else await this.#tick(at, decoded.timeMs);
    }
  }

  async #tick(at: TestPartition, timeMs: number): Promise<void> {
    at.logTimeMs = Math.max(at.logTimeMs, timeMs);
    for (const [key, state] of at.states) {
      const dueAtMs = this.#processor.codec.timerAtMs(state);
      if (dueAtMs !== undefined && dueAtMs <= at.logTimeMs) await this.#step(at, key, { kind: 'timer', dueAtMs });
    }
  }

  async #step(at: TestPartition, key: string, cause: Cause<AcceptedInput>): Promise<void> {
    const { codec, step, prepare, inputTopic } = this.#processor;
    const { logTimeMs } = at;
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs, inForce: new Map(at.inForce) };
    const item = { state: at.states.get(key), cause, context };
    const [evidence] = await must(prepare, 'it prepares')([item]);
    const { state, outputs } = step(item, must(evidence, 'evidence'));
    // Every state goes through its bytes.
    if (state !== undefined) at.states.set(key, codec.decode(codec.encode(state)));
    for (const output of outputs) {
      const { record } = output.topic === inputTopic ? {} : FeatureRecord.decode(output.value);
      if (output.topic === inputTopic) this.#sent.push(output);
      else if (record?.$case === 'updated') {
        const { partition, offset } = this.#at;
        this.updates.push({ key, partition, offset, value: output.value });
      }
    }
  }

  #log(partition: number): TestLog {
    return must(this.logs[partition], 'a log');
  }
}

function toRef(key: string): ProfileRef {
  const strength = key.startsWith('device') ? ID_STRENGTHS.anonymous : ID_STRENGTHS.user;
  return { key, strength, subject: Buffer.from(`sealed ${key}`) };
}

/** The archive of some logs, with files of `fileRecords`, as far as `reach` says. */
export function toArchive(
  logs: readonly TestLog[],
  { fileRecords = 7, reach = Number.POSITIVE_INFINITY }: { fileRecords?: number; reach?: number } = {},
) {
  const nextOf = (log: TestLog) => Math.min(reach, log.records.length);
  return {
    list: async () =>
      new Map(
        logs.map((log, partition) => {
          const next = nextOf(log);
          const files = Array.from({ length: Math.ceil(next / fileRecords) }, (_, i) => {
            const last = Math.min((i + 1) * fileRecords, next) - 1;
            return { partition, first: i * fileRecords, last, name: '', day: '' };
          });
          return [partition, { files, first: 0, next, gaps: [] }] as const;
        }),
      ),
    async *readLog(
      archived: {
        readonly first: number;
        readonly files: ReadonlyArray<{ partition: number; first: number; last: number }>;
      },
      end: number,
    ) {
      let next = archived.first;
      for (const { partition, first, last } of archived.files) {
        const from = Math.max(next, first);
        next = last + 1;
        yield must(logs[partition], 'a log').records.slice(from, Math.min(end, last + 1));
      }
    },
  };
}

export const partitionOf = (key: string) => toPartition(key, PARTITIONS);
