import { INITIAL_RATES } from '@perennial/commerce';
import {
  type AcceptedEvent,
  AcceptedRecord,
  FeatureRecord,
  type FeaturesUpdated,
  type Rollout,
  toPartition,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { ID_STRENGTHS, type IdentityRules, INITIAL_RULES, type ProfileRef } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Cause, Output } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import { createAccountTelemetry } from '../accounts/account-telemetry.js';
import { createFills } from '../fill/fills.js';
import { createTagTelemetry } from '../tags/tag-telemetry.js';
import { createFeatureTelemetry } from '../telemetry.js';
import type { AcceptedInput } from './identity-records.js';
import { createIdentityTelemetry } from './identity-telemetry.js';
import { createJoiningProcessor } from './joining-processor.js';
import { readJoined } from './read-joined.js';
import { createUnmerges } from './unmerge-document.js';

export const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
export const NOON = Date.UTC(2024, 4, 15, 12);
const PARTITIONS = 4;

export function toUser(id: string): ProfileRef {
  return { key: `user-${id}`, strength: ID_STRENGTHS.user, subject: Buffer.from(`sealed ${id}`) };
}

export function toDevice(id: string): ProfileRef {
  return { key: `device-${id}`, strength: ID_STRENGTHS.anonymous, subject: Buffer.from(`sealed ${id}`) };
}

/** An event of one id that names others, as ingest accepts it. */
export function toEvent(
  self: ProfileRef,
  fields: Partial<AcceptedEvent> & {
    readonly claims?: ProfileRef;
    readonly alias?: ProfileRef;
    readonly ties?: readonly ProfileRef[];
  } = {},
): AcceptedEvent {
  const { claims, alias, ties = [], ...others } = fields;
  return {
    messageId: 'm1',
    sourceId: 's',
    type: 'track',
    name: 'Order Completed',
    timestampMs: NOON,
    receivedAtMs: NOON,
    subject: self.subject,
    anonymous: self.strength === ID_STRENGTHS.anonymous,
    propertiesJson: Buffer.from('{}'),
    timeZone: '',
    currency: '',
    plan: undefined,
    traits: undefined,
    namedIds: [
      ...(claims === undefined ? [] : [{ profile: claims, alias: false }]),
      ...(alias === undefined ? [] : [{ profile: alias, alias: true }]),
      ...ties.map((profile) => ({ profile, alias: false, tie: true })),
    ],
    forwardedTo: undefined,
    ...others,
  };
}

interface Partition {
  readonly log: Array<{ readonly key: string; readonly value: Buffer }>;
  next: number;
  readonly outbox: Output[];
}

/**
 * The real processor on several partitions, each with a log that it reads in order and an outbox that it publishes in
 * order; which partition takes its next step is drawn. States go through their bytes at each step.
 */
export class JoinWorld {
  readonly metrics = createMetrics({ service: 'feature-store', namespace: 'live', processMetrics: false });
  readonly definition = createJoiningProcessor({
    namespace: 'live',
    artifacts: {
      loadRollout: async () => undefined,
      rates: async () => INITIAL_RATES,
      identity: async () => this.#rules,
      fills: createFills({ load: async () => Buffer.alloc(0) }, SPECS),
      unmerges: createUnmerges({ load: async () => Buffer.alloc(0) }),
      loadAll: async () => this.onRefresh(),
    },
    telemetry: createFeatureTelemetry(this.metrics),
    specs: SPECS,
    joins: createIdentityTelemetry(this.metrics),
    accounts: createAccountTelemetry(this.metrics),
    tags: createTagTelemetry(this.metrics),
    toAccountKey: (id) => `account-${id}`,
  });
  readonly states = new Map<string, Buffer>();
  readonly updates: Array<{ readonly key: string; readonly update: FeaturesUpdated }> = [];
  readonly joined: string[] = [];
  /** Records of the input topic that the processor wrote, by case. */
  readonly written: string[] = [];
  readonly #partitions: readonly Partition[] = Array.from({ length: PARTITIONS }, () => ({
    log: [],
    next: 0,
    outbox: [],
  }));
  readonly #draw: (below: number) => number;
  readonly #inForce = new Map<string, Rollout>();
  readonly #rules: IdentityRules;
  logTimeMs = 0;
  onRefresh: () => void = () => undefined;

  /** Of another spec than the preset: what to have in force, by a rollout of an artifact that `SPECS` has. */
  constructor(draw: (below: number) => number = () => 0, features?: Rollout, rules = INITIAL_RULES) {
    this.#draw = draw;
    this.#rules = rules;
    if (features !== undefined) this.#inForce.set(features.kind, features);
  }

  send(key: string, event: AcceptedEvent): void {
    this.sendRecord(key, { $case: 'event', value: event });
  }

  sendRecord(key: string, record: AcceptedRecord['record']): void {
    this.#append(key, Buffer.from(AcceptedRecord.encode({ record }).finish()));
  }

  /** One step of one partition; false when nothing is left to do anywhere. */
  step(): boolean {
    const ready = this.#partitions.flatMap((partition) => [
      ...(partition.next < partition.log.length ? [() => this.#process(partition)] : []),
      ...(partition.outbox.length > 0 ? [() => this.#publish(partition)] : []),
    ]);
    ready[this.#draw(ready.length)]?.();
    return ready.length > 0;
  }

  /** All steps until nothing is left to do. */
  settle(): void {
    while (this.step());
  }

  /** The profile of a key, wherever it is now. */
  async read(key: string) {
    const readStates = async (keys: readonly string[]) =>
      keys.map((one) => {
        const bytes = this.states.get(one);
        const state = bytes && this.definition.codec.decode(bytes);
        return { state, logTimeMs: this.logTimeMs, inForce: this.#inForce };
      });
    return must((await readJoined(readStates, [key]))[0], 'a profile').state;
  }

  #append(key: string, value: Buffer): void {
    must(this.#partitions[toPartition(key, PARTITIONS)], 'a partition').log.push({ key, value });
  }

  #publish(partition: Partition): void {
    const output = must(partition.outbox.shift(), 'an output');
    const key = must(output.key, 'the key of a hand-over');
    this.written.push(must(AcceptedRecord.decode(output.value).record, 'a record').$case);
    this.#append(key, output.value);
  }

  /** Log time goes on, and what is due by then fires. */
  tick(timeMs: number): void {
    this.logTimeMs = timeMs;
    const { codec } = this.definition;
    for (const [key, bytes] of this.states) {
      const dueAtMs = codec.timerAtMs(codec.decode(bytes));
      const partition = must(this.#partitions[toPartition(key, PARTITIONS)], 'a partition');
      if (dueAtMs !== undefined && dueAtMs <= timeMs) this.#step(partition, key, { kind: 'timer', dueAtMs });
    }
  }

  #process(partition: Partition): void {
    const { key, value } = must(partition.log[partition.next++], 'a record');
    const { decode } = this.definition;
    const decoded = decode({ key: Buffer.from(key), value } as Parameters<typeof decode>[0]);
    if (decoded.kind !== 'record') throw new Error('no record of a profile');
    this.#step(partition, key, { kind: 'record', input: decoded.input });
  }

  #step(partition: Partition, key: string, cause: Cause<AcceptedInput>): void {
    const { codec, step, inputTopic } = this.definition;
    const bytes = this.states.get(key);
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs: this.logTimeMs, inForce: this.#inForce };
    const evidence = { rates: INITIAL_RATES, identity: this.#rules };
    const { state, outputs } = step({ state: bytes && codec.decode(bytes), cause, context }, evidence);
    if (state !== undefined) this.states.set(key, codec.encode(state));
    for (const output of outputs) {
      if (output.topic === inputTopic) partition.outbox.push(output);
      else this.#note(key, output);
    }
  }

  #note(key: string, { value }: Output): void {
    const { record } = FeatureRecord.decode(value);
    if (record?.$case === 'updated') this.updates.push({ key, update: record.value });
    if (record?.$case === 'joined') this.joined.push(`${key} joined ${record.value.to?.key}`);
  }
}
