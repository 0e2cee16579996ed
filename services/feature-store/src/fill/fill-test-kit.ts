import type { ArtifactStore } from '@perennial/artifacts';
import {
  AcceptedEvent,
  AcceptedRecord,
  type Control,
  encodeControl,
  FeatureRecord,
  type Rollout,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, encodeFeatureSpec, type FeatureDefinition, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { type Cause, createLogReader } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import { createFeatureArtifacts } from '../artifacts.js';
import type { FeatureInput } from '../domain/fold.js';
import type { ProfileState } from '../domain/profile-state.js';
import { createFeatureProcessor } from '../processor.js';
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
  const telemetry = createFeatureTelemetry(
    createMetrics({ service: 'f', namespace: NAMESPACE, processMetrics: false }),
  );
  const processor = createFeatureProcessor({ namespace: NAMESPACE, artifacts, telemetry, specs });
  return { specs, artifacts, processor };
}

export type TestProcessor = ReturnType<typeof createTestProcessor>;

export function toTarget({ processor, artifacts, specs }: TestProcessor, hash: string): FillTarget {
  return { spec: specs.inForce({ hash }), hash, definition: processor as never, rates: artifacts.rates };
}

/** One partition's log. */
export class TestLog {
  readonly records: TestRecord[] = [];
  readonly #partition: number;

  constructor(partition: number) {
    this.#partition = partition;
  }

  event(event: TestEvent): void {
    const { key, properties, ...fields } = event;
    const value = {
      ...AcceptedEvent.decode(new Uint8Array()),
      ...fields,
      sourceId: 's',
      subject: Buffer.from('sealed'),
      anonymous: false,
      propertiesJson: Buffer.from(JSON.stringify(properties)),
      timeZone: '',
      currency: '',
      namedIds: [],
      forwardedTo: undefined,
    };
    this.#add(Buffer.from(key), Buffer.from(AcceptedRecord.encode({ record: { $case: 'event', value } }).finish()));
  }

  control(control: Control): void {
    this.#add(null, encodeControl(AcceptedRecord, control));
  }

  rollOut(kind: string, number: number, hash: string): void {
    this.control({ kind: 'rollout', rollout: { kind, number, hash } });
  }

  #add(key: Buffer | null, value: Buffer): void {
    const offset = this.records.length;
    this.records.push({ topic: TOPIC, partition: this.#partition, offset, timestampMs: 0, headers: {}, key, value });
  }
}

/** A partition as the processor leaves it: states by key, and the values of each update. */
export class TestPartition {
  readonly states = new Map<string, ProfileState>();
  readonly inForce = new Map<string, Rollout>();
  readonly updates: Array<{ readonly key: string; readonly specHash: string; readonly values: readonly number[] }> = [];
  logTimeMs = 0;
  readonly #processor: TestProcessor['processor'];
  readonly #reader;
  #offset = 0;

  constructor({ processor }: TestProcessor) {
    this.#processor = processor;
    this.#reader = createLogReader<FeatureInput>(processor as never);
  }

  async run(records: readonly TestRecord[]): Promise<void> {
    for (const record of records) {
      this.#offset = record.offset;
      for (const { decoded } of await this.#reader.read([record])) {
        if (decoded.kind === 'rollout') this.inForce.set(decoded.rollout.kind, decoded.rollout);
        else if (decoded.kind === 'record') await this.#step(decoded.key, { kind: 'record', input: decoded.input });
        else await this.#tick(decoded.timeMs);
      }
    }
  }

  async #tick(timeMs: number): Promise<void> {
    this.logTimeMs = Math.max(this.logTimeMs, timeMs);
    for (const [key, state] of this.states) {
      const dueAtMs = state.validUntilMs;
      if (dueAtMs !== undefined && dueAtMs <= this.logTimeMs) await this.#step(key, { kind: 'timer', dueAtMs });
    }
  }

  async #step(key: string, cause: Cause<FeatureInput>): Promise<void> {
    const { codec, step, prepare } = this.#processor;
    const context = { key, partition: 0, offset: this.#offset, ordinal: 0, ...this, inForce: new Map(this.inForce) };
    const item = { state: this.states.get(key), cause, context };
    const [evidence] = await must(prepare, 'it prepares')([item]);
    const { state, outputs } = step(item, must(evidence, 'evidence'));
    // Every state goes through its bytes.
    if (state !== undefined) this.states.set(key, codec.decode(codec.encode(state)));
    for (const { value } of outputs) {
      const { record } = FeatureRecord.decode(value);
      if (record?.$case === 'updated') this.updates.push({ key, ...record.value });
    }
  }
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
    async *readChain(
      chain: {
        readonly first: number;
        readonly files: ReadonlyArray<{ partition: number; first: number; last: number }>;
      },
      end: number,
    ) {
      let next = chain.first;
      for (const { partition, first, last } of chain.files) {
        const from = Math.max(next, first);
        next = last + 1;
        yield must(logs[partition], 'a log').records.slice(from, Math.min(end, last + 1));
      }
    },
  };
}

export const partitionOf = (key: string) => toPartition(key, PARTITIONS);
