import type { Rollout } from '@perennial/contracts';
import { AppError, must, toMessage, toSha256 } from '@perennial/kernel';
import { createParts } from '@perennial/service-feature-store';
import { createMetrics } from '@perennial/telemetry';
import { RULES, SECRET, type SentRecord } from './people.js';

/** Steps a record at most: a record about joins causes some more, each of which climbs to a stronger profile. */
const STEPS_PER_RECORD = 200;
/** Above what any profile comes to: 44 KB of features, 128 members, traits. */
const STATE_BYTES_MAX = 96 * 1_024;
const TOPIC = 'fuzz.lifecycle.event.accepted.v1';

/** Rules about ids with kinds, and without any: no other artifact is in force but what a process begins with. */
const FILES = { rules: RULES, none: Buffer.from('version: 1\nkinds: {}\n') };
const artifactStore = {
  put: () => Promise.reject(new Error('nothing is stored here')),
  async load(_: string, hash: string) {
    const file = Object.values(FILES).find((one) => toSha256(one) === hash);
    if (file === undefined) throw new AppError('not_found', `there is no object ${hash}`);
    return file;
  },
  list: async () => [],
};
const config = { secret: SECRET };
const metrics = createMetrics({ service: 'feature-store', namespace: 'fuzz', processMetrics: false });
const { definition, specs } = createParts({ config, namespace: 'fuzz', metrics, artifactStore });
type Definition = typeof definition;
type Stored = ReturnType<Definition['codec']['decode']>;

/** The states of some profiles in one partition: what the processor sends to its own topic comes back. */
export class FuzzWorld {
  readonly results = new Set<string>();
  hostile = 0;
  problem: string | undefined;
  readonly #states = new Map<string, Stored>();
  readonly #bytes = new Map<string, Buffer>();
  readonly #queue: SentRecord[] = [];
  readonly #inForce = new Map<string, Rollout>();
  #sent = 0;
  #steps = 0;

  /** In force from the next record on. */
  rollOut(rules: keyof typeof FILES): void {
    this.#inForce.set('identity', { kind: 'identity', number: 1, hash: toSha256(FILES[rules]) });
  }

  send(record: SentRecord): void {
    this.#queue.push(record);
    this.#sent++;
  }

  sendHostile(record: SentRecord): void {
    this.hostile++;
    this.send(record);
  }

  /** Bytes of the present states, as hand-overs hold them. */
  encoded(): Buffer[] {
    return [...this.#bytes.values()];
  }

  async settle(): Promise<void> {
    for (let record = this.#queue.shift(); record !== undefined; record = this.#queue.shift()) {
      if (this.problem !== undefined) return;
      if (++this.#steps > STEPS_PER_RECORD * this.#sent) this.problem = `${this.#sent} records go on for ever`;
      await this.#process(record);
    }
  }

  /** In a world where all keep the rules each event counts in one profile. */
  findMiscount(events: number): string | undefined {
    const place = specs.initial.names.indexOf('events_count_all');
    let counted = 0;
    for (const stored of this.#states.values()) {
      const profile = 'node' in stored ? stored.profile : stored;
      if (profile !== undefined)
        counted += specs.initial.vector(profile.engine, profile.engine.asOfMs).values[place] ?? 0;
    }
    return counted === events ? undefined : `${counted} of ${events} events are counted`;
  }

  async #process({ key, value }: SentRecord): Promise<void> {
    let decoded: ReturnType<Definition['decode']>;
    try {
      decoded = definition.decode({ key: Buffer.from(key), value } as Parameters<Definition['decode']>[0]);
    } catch {
      this.results.add('poison when read');
      return;
    }
    if (decoded.kind !== 'record') return;
    const { key: own, input } = decoded;
    const cause = { kind: 'record' as const, input };
    const context = {
      key: own,
      partition: 0,
      offset: this.#steps,
      ordinal: 0,
      logTimeMs: 0,
      inForce: new Map(this.#inForce),
    };
    const item = { state: this.#states.get(own), cause, context };
    const [evidence] = await must(definition.prepare, 'it prepares')([item]);
    let result: ReturnType<Definition['step']>;
    try {
      result = definition.step(item, must(evidence, 'evidence'));
    } catch {
      this.results.add('poison in its step');
      return;
    }
    this.results.add('taken');
    for (const { topic, key: to = own, value: sent } of result.outputs) {
      if (topic === TOPIC) this.#queue.push({ key: to, value: sent });
    }
    if (result.state !== undefined) this.#keep(own, result.state);
  }

  /** A state that cannot be stored or read back would stop its partition. */
  #keep(key: string, state: Stored): void {
    try {
      const bytes = definition.codec.encode(state);
      if (bytes.length > STATE_BYTES_MAX) this.problem = `the state of ${key.slice(0, 30)} has ${bytes.length} bytes`;
      const again = definition.codec.encode(definition.codec.decode(bytes));
      if (!again.equals(bytes)) this.problem = `the state of ${key.slice(0, 30)} is another once it was stored`;
      this.#states.set(key, definition.codec.decode(bytes));
      this.#bytes.set(key, bytes);
    } catch (error) {
      this.problem = `the state of ${key.slice(0, 30)} cannot be stored: ${toMessage(error)}`;
    }
  }
}
