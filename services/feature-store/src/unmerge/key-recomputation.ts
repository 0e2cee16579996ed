import { AcceptedRecord, HEADERS, parsePosition, type Rollout, type Unmerge } from '@perennial/contracts';
import { addParted, type ProfileNode, toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import {
  type Cause,
  createLogReader,
  type LogReader,
  type Output,
  type ProcessorDefinition,
} from '@perennial/keyed-processor';
import { type AcceptedInput, decodeIdentityInput, toMark } from '../identity/identity-records.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import type { FeatureEvidence } from '../processor.js';
import { type Cut, leaverOf } from './cuts.js';

export type Records = Parameters<LogReader<AcceptedInput>['read']>[0];
export type Definition = ProcessorDefinition<StoredProfile, AcceptedInput, FeatureEvidence>;

/** What is known of the records that keys sent to each other, by the position of their cause. */
export interface SentRecords {
  /** They would not have been sent, had the pairs never been joined. */
  readonly excluded: Set<string>;
  /** Hand-overs as they would have been. */
  readonly handOvers: Map<string, Buffer>;
}

interface KeyRecomputationOptions {
  readonly definition: Definition;
  readonly key: string;
  readonly partition: number;
  readonly current: Cut;
  readonly earlier: readonly Cut[];
  readonly sent: SentRecords;
  /** The fill in force and the rollout of its spec: that is taken to be in force from the beginning. */
  readonly filled: { readonly fill: Rollout; readonly features: Rollout } | undefined;
}

const FEATURE_KINDS: readonly string[] = ['features', 'feature-filling', 'feature-fill'];

/**
 * Processes the records of one key with the processor's own code, as if some joins had never been: those joins are left out,
 * and what came to the key because of them.
 */
export class KeyRecomputation {
  readonly #options: KeyRecomputationOptions;
  readonly #reader: LogReader<AcceptedInput>;
  readonly #inForce = new Map<string, Rollout>();
  /** Unmerges in which this key leaves, oldest first; the first one is the next to come in the log. */
  readonly #leaves: Cut[];
  readonly #done: ReadonlySet<number>;
  #state: StoredProfile | undefined;
  #timerAtMs: number | undefined;
  #logTimeMs = 0;
  #isJoined = false;
  #waitsForFill: boolean;
  #isComplete = false;

  constructor(options: KeyRecomputationOptions) {
    const { definition, key, current, earlier, filled } = options;
    this.#options = options;
    this.#reader = createLogReader(definition as unknown as ProcessorDefinition<never, AcceptedInput, never>);
    this.#leaves = [...earlier, current].filter((cut) => leaverOf(cut) === key);
    this.#done = new Set(earlier.map(({ number }) => number));
    this.#waitsForFill = filled !== undefined;
    if (filled !== undefined) {
      this.#inForce.set('features', filled.features);
      this.#inForce.set('feature-fill', filled.fill);
    }
  }

  /** True once the record was read with which the unmerge began at this key. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get state(): StoredProfile | undefined {
    return this.#state;
  }

  /** Takes the next records of the partition, in order. Throws as the artifacts do. */
  async take(records: Records): Promise<void> {
    const { key } = this.#options;
    const own = records.filter((record) => record.key === null || record.key.toString() === key);
    const byOffset = new Map(own.map((record) => [record.offset, record]));
    for (const { offset, decoded } of await this.#reader.read(own)) {
      if (this.#isComplete) return;
      if (decoded.kind === 'rollout') this.#takeRollout(decoded.rollout);
      else if (decoded.kind === 'tick') await this.#tick(decoded.timeMs, offset);
      else await this.#takeRecord(decoded.input, must(byOffset.get(offset), 'a record'));
    }
  }

  /** A fill gives what its spec would have given from the first record on: so does this. */
  #takeRollout(rollout: Rollout): void {
    const { filled } = this.#options;
    if (this.#waitsForFill && FEATURE_KINDS.includes(rollout.kind)) {
      if (rollout.kind === 'feature-fill' && rollout.hash === filled?.fill.hash) this.#waitsForFill = false;
      return;
    }
    this.#inForce.set(rollout.kind, rollout);
  }

  async #takeRecord(input: AcceptedInput, record: Records[number]): Promise<void> {
    const { sent, key, partition, definition } = this.#options;
    const { offset } = record;
    const own = toId(partition, offset);
    if ('identity' in input && input.identity.kind === 'unmerge') return this.#takeUnmerge(input.identity.unmerge);
    const position = parsePosition(record.headers[HEADERS.position]);
    const cause = position && toCauseId(position);
    const mark = toMark(input);
    if ((cause !== undefined && sent.excluded.has(cause)) || (mark !== undefined && this.#done.has(mark))) {
      // If the key forwarded it, that is left out where it went, too.
      sent.excluded.add(own);
      return;
    }
    if (this.#leaves.length > 0 && 'identity' in input && input.identity.kind === 'join') {
      // A join that is to be left out: the real key forwards from here on.
      this.#isJoined = true;
      sent.excluded.add(own);
      return;
    }
    if (this.#isJoined) sent.excluded.add(own);
    const replaced = cause === undefined ? undefined : sent.handOvers.get(cause);
    const taken = replaced === undefined || !isHandOver(input) ? input : readHandOver(key, replaced);
    const before = toParts(this.#state).node.kind;
    const outputs = await this.#step({ kind: 'record', input: taken }, offset);
    const handOver = outputs.find(({ topic, value }) => topic === definition.inputTopic && isHandOverValue(value));
    const hasJoined = before === 'root' && toParts(this.#state).node.kind === 'forwarder';
    if (handOver !== undefined && (hasJoined || taken !== input)) sent.handOvers.set(own, handOver.value);
    // It had nothing of its own: what it handed over was of those that are left out.
    else if (hasJoined) sent.excluded.add(own);
  }

  #takeUnmerge(unmerge: Unmerge): void {
    const { current, key } = this.#options;
    const { step, number, attempt } = unmerge;
    const isLeaver = leaverOf(current) === key;
    if (number === current.number && attempt === current.attempt && step === (isLeaver ? 'begin' : 'leave')) {
      this.#isComplete = current.path.some((one) => one.key === key);
      return;
    }
    const [next] = this.#leaves;
    if (step === 'left' && next?.number === number && next.attempt === attempt) {
      this.#leaves.shift();
      this.#isJoined = false;
      this.#keepApart([...next.path.slice(1).map((one) => one.key), unmerge.other]);
    }
    if (step === 'part' && this.#done.has(number) && unmerge.leaver !== undefined) {
      this.#keepApart([unmerge.leaver.key]);
    }
  }

  #keepApart(apart: readonly string[]): void {
    const { node, profile } = toParts(this.#state);
    if (node.kind === 'ledger') return;
    const parted = addParted(node.parted, { apart, left: [] });
    this.#state = { node: { ...node, parted } as ProfileNode, profile };
  }

  async #tick(timeMs: number, offset: number): Promise<void> {
    if (timeMs < this.#logTimeMs) return;
    this.#logTimeMs = timeMs;
    const dueAtMs = this.#timerAtMs;
    if (dueAtMs !== undefined && dueAtMs <= timeMs) await this.#step({ kind: 'timer', dueAtMs }, offset);
  }

  async #step(cause: Cause<AcceptedInput>, offset: number): Promise<readonly Output[]> {
    const { definition, key, partition } = this.#options;
    const { step, prepare, codec } = definition;
    const at = { key, partition, offset, ordinal: 0, logTimeMs: this.#logTimeMs };
    const item = { state: this.#state, cause, context: { ...at, inForce: new Map(this.#inForce) } };
    const [evidence] = await must(prepare, 'it prepares')([item]);
    let result: ReturnType<Definition['step']>;
    try {
      result = step(item, must(evidence, 'evidence'));
    } catch {
      // A dead letter: the profile stays as it was.
      return [];
    }
    this.#state = result.state;
    const dueAtMs = result.state && codec.timerAtMs(result.state);
    this.#timerAtMs =
      dueAtMs === undefined ? undefined : Math.max(dueAtMs, cause.kind === 'timer' ? this.#logTimeMs + 1 : 0);
    return result.outputs;
  }
}

const toId = (partition: number, offset: number) => `${partition}:${offset}`;

/** The input record that caused a record, wherever it is: of this service's own outputs alone. */
function toCauseId({ source, offset }: { readonly source: string; readonly offset: number }): string {
  return `${source.slice(source.lastIndexOf('/') + 1)}:${offset}`;
}

function isHandOver(input: AcceptedInput): boolean {
  return 'identity' in input && input.identity.kind === 'hand_over';
}

function isHandOverValue(value: Buffer): boolean {
  return AcceptedRecord.decode(value).record?.$case === 'handOver';
}

function readHandOver(key: string, value: Buffer): AcceptedInput {
  const decoded = decodeIdentityInput({ key: Buffer.from(key), value });
  if (decoded?.kind !== 'record') throw new Error('a hand-over is of a profile');
  return decoded.input;
}
