import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { INITIAL_RATES } from '@perennial/commerce';
import {
  type AcceptedEvent,
  AcceptedRecord,
  encodeControl,
  encodePosition,
  FeatureRecord,
  type FeaturesUpdated,
  HEADERS,
  type Rollout,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import { isStronger, LEDGER_KEY, type LedgerNode, type ProfileRef, toParts } from '@perennial/identity';
import { AppError, must, toMessage, toSha256 } from '@perennial/kernel';
import { type Cause, createLogReader, type Output } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import { createAccountTelemetry } from '../accounts/account-telemetry.js';
import { createFeatureArtifacts } from '../artifacts.js';
import { encodeFill, type PartitionFill } from '../fill/fill-document.js';
import { fillPartition } from '../fill/fill-partition.js';
import type { AcceptedInput } from '../identity/identity-records.js';
import { createIdentityTelemetry } from '../identity/identity-telemetry.js';
import { SPECS } from '../identity/join-test-kit.js';
import { createJoiningProcessor } from '../identity/joining-processor.js';
import { readJoined } from '../identity/read-joined.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { Retractor } from '../retract/retractor.js';
import { createTagTelemetry } from '../tags/tag-telemetry.js';
import { createFeatureTelemetry } from '../telemetry.js';
import { UnmergeRunner, type UnmergeRunnerOptions } from './unmerge-runner.js';
import { createUnmergeTelemetry } from './unmerge-telemetry.js';

const PARTITIONS = 3;
const NAMESPACE = 'live';
const TOPIC = toTopic(NAMESPACE, 'eventAccepted');

type TestRecord = Parameters<ReturnType<typeof createLogReader>['read']>[0][number];

interface Partition {
  readonly log: TestRecord[];
  next: number;
  readonly outbox: Array<{ readonly output: Output; readonly offset: number; readonly ordinal: number }>;
  readonly reader: ReturnType<typeof createLogReader<AcceptedInput>>;
  readonly timers: Map<string, number>;
  readonly inForce: Map<string, Rollout>;
  logTimeMs: number;
}

/**
 * The real processor and the real runner over partitions with logs, each with an outbox that is published in order; which
 * one takes its next step is drawn. The archive reaches as far as is said. States go through their bytes.
 */
export class UnmergeWorld {
  readonly objects = new Map<string, Buffer>();
  readonly metrics = createMetrics({ service: 'f', namespace: NAMESPACE, processMetrics: false });
  readonly artifacts = createFeatureArtifacts(
    {
      load: async (_, hash) => {
        const bytes = this.objects.get(hash);
        if (bytes === undefined) throw new AppError('not_found', 'no object');
        return bytes;
      },
      list: async () => [],
    },
    { specs: SPECS },
  );
  readonly definition = createJoiningProcessor({
    namespace: NAMESPACE,
    artifacts: { ...this.artifacts, loadRollout: async () => undefined, rates: async () => INITIAL_RATES },
    telemetry: createFeatureTelemetry(this.metrics),
    specs: SPECS,
    joins: createIdentityTelemetry(this.metrics),
    accounts: createAccountTelemetry(this.metrics),
    tags: createTagTelemetry(this.metrics),
    toAccountKey: (id) => `account-${id}`,
  });
  readonly states = new Map<string, Buffer>();
  readonly updates: Array<{ readonly key: string; readonly update: FeaturesUpdated }> = [];
  readonly partitions: readonly Partition[] = Array.from({ length: PARTITIONS }, () => ({
    log: [],
    next: 0,
    outbox: [],
    reader: createLogReader<AcceptedInput>(this.definition as never),
    timers: new Map(),
    inForce: new Map(),
    logTimeMs: 0,
  }));
  /** Records of each partition that are archived. */
  archived = Number.POSITIVE_INFINITY;
  /** The archive has lost its first record of each partition. */
  hasGap = false;
  readonly #draw: (below: number) => number;
  #changes = 0;
  #waitedMs = 0;

  constructor(draw: (below: number) => number = () => 0) {
    this.#draw = draw;
  }

  send(key: string, event: AcceptedEvent): void {
    this.sendRecord(key, { $case: 'event', value: event });
  }

  sendRecord(key: string, record: AcceptedRecord['record']): void {
    this.#append(key, record);
  }

  tick(timeMs: number): void {
    for (const partition of this.partitions) {
      const value = Buffer.from(AcceptedRecord.encode({ record: { $case: 'tick', value: { timeMs } } }).finish());
      this.#add(partition, { key: null, value, headers: {} });
    }
  }

  /** On every partition. The spec of a hash is in `SPECS`. */
  rollOut(kind: string, hash: string): void {
    const value = encodeControl(AcceptedRecord, { kind: 'rollout', rollout: { kind, number: 2, hash } });
    for (const partition of this.partitions) this.#add(partition, { key: null, value, headers: {} });
  }

  /** Fills the spec from what is in the logs, and puts the fill in force. */
  async fill(hash: string): Promise<void> {
    const { definition, artifacts, archive } = this;
    const { rates } = artifacts;
    const target = { spec: SPECS.inForce({ hash }), specs: SPECS, hash, definition: definition as never, rates };
    const store = { put: async (_: string, bytes: Buffer) => this.put(bytes) };
    const options = { namespace: NAMESPACE, archive, blobs: new MemoryBlobStore(), store, target };
    const partitions: PartitionFill[] = [];
    for (const index of this.partitions.keys())
      partitions.push(must(await fillPartition({ ...options, limits: { dutyShareMax: 1 } }, index), 'a fill'));
    this.rollOut('feature-fill', this.put(encodeFill({ spec: hash, partitions })));
  }

  /** The logs as far as they are archived. */
  get archive(): UnmergeRunnerOptions['archive'] {
    return {
      list: async () =>
        new Map(
          this.partitions.map(({ log }, partition) => {
            const next = Math.min(this.archived, log.length);
            const file = { partition, first: 0, last: next - 1, name: '', day: '' };
            return [partition, { files: [file], first: this.hasGap ? 1 : 0, next, gaps: [] }] as const;
          }),
        ),
      readLog: ({ files }, end) => this.#readLog(must(files[0], 'a file').partition, end),
    };
  }

  change(kind: 'merge' | 'unmerge', a: ProfileRef, b: ProfileRef): void {
    const [stronger, weaker] = isStronger(a, b) ? [a, b] : [b, a];
    const id = `change ${++this.#changes}`;
    const value = { id, kind, weaker, stronger, by: 'a test', reason: 'to see', atMs: 1 };
    this.#append(LEDGER_KEY, { $case: 'identityChange', value });
  }

  /** One step of one partition; false when nothing is left to do anywhere. */
  async step(): Promise<boolean> {
    const ready = this.partitions.flatMap((partition) => [
      ...(partition.next < partition.log.length ? [() => this.#process(partition)] : []),
      ...(partition.outbox.length > 0 ? [async () => this.#publish(partition)] : []),
    ]);
    await ready[this.#draw(ready.length)]?.();
    return ready.length > 0;
  }

  /** All steps until nothing is left to do, and all unmerges are done. */
  async settle(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    this.archived = Number.POSITIVE_INFINITY;
    for (let runs = 0; runs < 50; runs++) {
      while (await this.step()) await meanwhile();
      const { node } = this.#read(LEDGER_KEY);
      if (node.kind !== 'ledger' || node.entries.every(({ state }) => !['running', 'waiting'].includes(state))) return;
      await this.runner().run();
    }
    throw new Error(`an unmerge does not end: ${JSON.stringify(this.ledger)}`);
  }

  get ledger(): LedgerNode {
    const { node } = this.#read(LEDGER_KEY);
    if (node.kind !== 'ledger') throw new Error('there was no change');
    return node;
  }

  /** A process that parts profiles; each call is another one. */
  runner(replaced: Partial<UnmergeRunnerOptions> = {}): UnmergeRunner {
    const { definition, artifacts } = this;
    return new UnmergeRunner({
      namespace: NAMESPACE,
      partitions: PARTITIONS,
      artifacts,
      definition,
      store: { put: async (_, bytes) => this.put(bytes) },
      archive: this.archive,
      lease: { hold: async () => true },
      readStates: this.readStates,
      readInForce: async () => this.partitions.map(({ inForce }) => new Map(inForce)),
      send: async (records) => {
        for (const { partition, key, value } of records) {
          this.#add(must(this.partitions[partition], 'a partition'), { key: Buffer.from(key), value, headers: {} });
        }
      },
      telemetry: createUnmergeTelemetry({ info() {}, warn() {}, error() {}, debug() {} } as never, this.metrics),
      ...replaced,
    });
  }

  /** What a process reads while the state of the ledger's partition is behind those of the others, as after a loss of Redis. */
  behind(ledger: Buffer | undefined): Pick<UnmergeRunnerOptions, 'readStates'> {
    const state = ledger && this.definition.codec.decode(ledger);
    return {
      readStates: async (keys) => {
        const current = await this.readStates(keys);
        return current.map((stored, index) => (keys[index] === LEDGER_KEY ? { ...stored, state } : stored));
      },
    };
  }

  /** What a process reads while all profiles are behind, as after a loss of Redis; it no longer waits for one that lags. */
  lost(states: ReadonlyMap<string, Buffer>): Pick<UnmergeRunnerOptions, 'readStates' | 'limits'> {
    const decode = (bytes: Buffer | undefined) => bytes && this.definition.codec.decode(bytes);
    return {
      limits: { againMs: 0 },
      readStates: async (keys) => {
        const current = await this.readStates(keys);
        return current.map((stored, index) => {
          const key = must(keys[index], 'a key');
          return key === LEDGER_KEY ? stored : { ...stored, state: decode(states.get(key)) };
        });
      },
    };
  }

  /** What takes events back, over all of the logs; `meanwhile` is called before it sends. */
  retractor(meanwhile: () => void = () => undefined): Retractor {
    const { definition } = this;
    return new Retractor({
      namespace: NAMESPACE,
      partitions: PARTITIONS,
      definition,
      specs: SPECS,
      loadSpecs: async () => undefined,
      readPartition: async (partition, take) => {
        for await (const records of this.#readLog(partition, Number.POSITIVE_INFINITY)) await take(records as never);
      },
      readStates: (keys) => this.readStates(keys),
      producer: {
        send: async (records) => {
          meanwhile();
          for (const { partition, key, value } of records) {
            this.#add(must(this.partitions[partition], 'a partition'), { key, value, headers: {} });
          }
          while (await this.step());
        },
      },
      clock: {
        now: () => 1,
        steadyMs: () => this.#waitedMs,
        wait: async () => {
          this.#waitedMs += 10_000;
        },
      } as never,
    });
  }

  put(bytes: Buffer): string {
    const hash = toSha256(bytes);
    this.objects.set(hash, bytes);
    return hash;
  }

  /** What is stored under a key. */
  stored(key: string): StoredProfile | undefined {
    const bytes = this.states.get(key);
    return bytes && this.definition.codec.decode(bytes);
  }

  /** The profile of a key, wherever it is now. */
  async read(key: string) {
    return must((await readJoined(this.readStates, [key]))[0], 'a profile');
  }

  /** All partitions again from the first record, without sending: the logs hold what was sent. */
  async recompute(): Promise<Map<string, Buffer>> {
    const again = new UnmergeWorld();
    for (const [hash, bytes] of this.objects) again.objects.set(hash, bytes);
    for (const [index, { log }] of this.partitions.entries()) {
      const partition = must(again.partitions[index], 'a partition');
      partition.log.push(...log);
      while (partition.next < partition.log.length) await again.#process(partition);
    }
    return again.states;
  }

  async *#readLog(partition: number, end: number) {
    yield must(this.partitions[partition], 'a partition').log.slice(0, end);
  }

  #read(key: string) {
    return toParts(this.stored(key));
  }

  readonly readStates = async (keys: readonly string[]) => {
    return keys.map((key) => {
      const { logTimeMs, inForce } = this.#partitionOf(key);
      return { state: this.stored(key), logTimeMs, inForce };
    });
  };

  #append(key: string, record: AcceptedRecord['record']): void {
    const value = Buffer.from(AcceptedRecord.encode({ record }).finish());
    this.#add(this.#partitionOf(key), { key: Buffer.from(key), value, headers: {} });
  }

  #add({ log }: Partition, record: Pick<TestRecord, 'key' | 'value' | 'headers'>): void {
    const partition = this.partitions.findIndex((one) => one.log === log);
    log.push({ topic: TOPIC, partition, offset: log.length, timestampMs: 0, ...record } as TestRecord);
  }

  #publish(partition: Partition): void {
    const { output, offset, ordinal } = must(partition.outbox.shift(), 'an output');
    const key = must(output.key, 'the key of another profile');
    const source = `feature-store/${this.partitions.indexOf(partition)}`;
    const headers = { [HEADERS.position]: encodePosition({ source, offset, ordinal }) };
    this.#add(this.#partitionOf(key), { key: Buffer.from(key), value: output.value, headers });
  }

  async #process(partition: Partition): Promise<void> {
    const record = must(partition.log[partition.next++], 'a record');
    for (const { decoded } of await partition.reader.read([record])) {
      if (decoded.kind === 'tick') await this.#tick(partition, { timeMs: decoded.timeMs, offset: record.offset });
      if (decoded.kind === 'rollout') partition.inForce.set(decoded.rollout.kind, decoded.rollout);
      if (decoded.kind !== 'record') continue;
      const { key, input } = decoded;
      await this.#take(partition, { key, cause: { kind: 'record', input }, offset: record.offset });
    }
  }

  async #tick(partition: Partition, { timeMs, offset }: { timeMs: number; offset: number }): Promise<void> {
    partition.logTimeMs = Math.max(partition.logTimeMs, timeMs);
    for (const [key, dueAtMs] of partition.timers) {
      if (dueAtMs <= timeMs) await this.#take(partition, { key, cause: { kind: 'timer', dueAtMs }, offset });
    }
  }

  async #take(
    partition: Partition,
    { key, cause, offset }: { key: string; cause: Cause<AcceptedInput>; offset: number },
  ): Promise<void> {
    const { codec, step, prepare, inputTopic } = this.definition;
    const { logTimeMs, timers } = partition;
    const context = { key, partition: 0, offset, ordinal: 0, logTimeMs, inForce: new Map(partition.inForce) };
    const item = { state: this.stored(key), cause, context };
    const [evidence] = await must(prepare, 'it prepares')([item]);
    const { state, outputs } = this.#stepOrNot(() => step(item, must(evidence, 'evidence')), item.state);
    if (state === undefined) this.states.delete(key);
    else this.states.set(key, codec.encode(state));
    const dueAtMs = state && codec.timerAtMs(state);
    if (dueAtMs === undefined) timers.delete(key);
    else timers.set(key, Math.max(dueAtMs, cause.kind === 'timer' ? logTimeMs + 1 : 0));
    for (const [ordinal, output] of outputs.entries()) {
      if (output.topic === inputTopic) partition.outbox.push({ output, offset, ordinal });
      else this.#note(key, output);
    }
  }

  /** A step that throws makes a dead letter of a record about unmerges; of others a test wants to know. */
  #stepOrNot<Result>(
    step: () => Result,
    state: StoredProfile | undefined,
  ): Result | { state: StoredProfile | undefined; outputs: readonly Output[] } {
    try {
      return step();
    } catch (error) {
      if (!toMessage(error).includes(' is under way')) throw error;
      return { state, outputs: [] };
    }
  }

  #note(key: string, { value }: Output): void {
    const { record } = FeatureRecord.decode(value);
    if (record?.$case === 'updated') this.updates.push({ key, update: record.value });
  }

  #partitionOf(key: string): Partition {
    return must(this.partitions[toPartition(key, PARTITIONS)], 'a partition');
  }
}
