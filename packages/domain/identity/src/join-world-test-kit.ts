import type { NamedId, SentRecord } from './index.js';
import { type Member, type ProfileNode, takeEvent, takeHandOver, takeJoin, takeLink } from './index.js';
import type { ProfileRef } from './profile-ref.js';
import { type IdentityRules, INITIAL_RULES } from './rules/identity-rules.js';

/** What travels under a key. `self` is the profile that the record is addressed to. */
type WorldRecord = { readonly self: ProfileRef } & (
  | { readonly kind: 'event'; readonly id: number; readonly named: readonly NamedId[] }
  | { readonly kind: 'hand_over'; readonly from: string; readonly members: readonly Member[]; readonly ids: Ids }
  | SentRecord
);

/** Ids of the folded events: a state that shows each loss and each repeat. */
type Ids = readonly number[];

export interface WorldProfile {
  readonly node: ProfileNode | undefined;
  readonly ids: Ids;
}

interface Partition {
  readonly log: WorldRecord[];
  next: number;
  /** Records that are owed to other logs, in order: they arrive any time later. */
  readonly outbox: WorldRecord[];
}

/**
 * Keys on partitions, each with one log that is read in order and an outbox that is published in order, as the keyed
 * processor has them. Which partition takes its next step is drawn.
 */
export class JoinWorld {
  readonly profiles = new Map<string, WorldProfile>();
  /** Records that were sent because of joins, without forwarded events. */
  sent = 0;
  /** Records `join`, in the order in which they were read. */
  readonly joins: Array<WorldRecord & { readonly kind: 'join' }> = [];
  forwarded = 0;
  cutOff = 0;
  readonly #partitions: readonly Partition[];
  readonly #partitionOf: (key: string) => number;
  readonly #draw: (below: number) => number;
  #timeMs = 0;

  /** In force from the next step on. */
  rules: IdentityRules;

  constructor(options: {
    partitions: number;
    partitionOf: (key: string) => number;
    draw: (below: number) => number;
    rules?: IdentityRules;
  }) {
    this.rules = options.rules ?? INITIAL_RULES;
    this.#partitions = Array.from({ length: options.partitions }, () => ({ log: [], next: 0, outbox: [] }));
    this.#partitionOf = options.partitionOf;
    this.#draw = options.draw;
  }

  append(record: WorldRecord): void {
    this.#partitions[this.#partitionOf(record.self.key)]?.log.push(record);
  }

  /** One step of one partition; false when nothing is left to do anywhere. */
  step(): boolean {
    const ready = this.#partitions.flatMap((partition) => [
      ...(partition.next < partition.log.length ? [() => this.#process(partition)] : []),
      ...(partition.outbox.length > 0 ? [() => this.append(partition.outbox.shift() as WorldRecord)] : []),
    ]);
    ready[this.#draw(ready.length)]?.();
    return ready.length > 0;
  }

  rootOf(key: string): string {
    const seen = new Set<string>();
    let at = key;
    for (;;) {
      const node = this.profiles.get(at)?.node;
      if (node?.kind !== 'forwarder') return at;
      if (seen.has(at)) throw new Error(`${key} forwards in a circle`);
      seen.add(at);
      at = node.to.key;
    }
  }

  #process(partition: Partition): void {
    const record = partition.log[partition.next++] as WorldRecord;
    const { key } = record.self;
    if (record.kind === 'join') this.joins.push(record);
    const before = this.profiles.get(key) ?? { node: undefined, ids: [] };
    const { after, outputs } = take(before, record, { atMs: ++this.#timeMs, rules: this.rules });
    this.profiles.set(key, after);
    for (const output of outputs) {
      if (output.kind === 'event') this.forwarded += 1;
      else this.sent += 1;
      partition.outbox.push(output);
    }
  }
}

interface Step {
  readonly after: WorldProfile;
  readonly outputs: readonly WorldRecord[];
}

interface At {
  readonly atMs: number;
  readonly rules: IdentityRules;
}

function take({ node, ids }: WorldProfile, record: WorldRecord, at: At): Step {
  if (record.kind === 'join') return join({ node, ids }, record, at);
  const result =
    record.kind === 'event'
      ? takeEvent(node, { ...record, ...at })
      : record.kind === 'link'
        ? takeLink(node, { ...record, ...at })
        : takeHandOver(node, { ...record, ...at });
  if (result.result === 'cut_off' || result.result === 'no_kind')
    return { after: { node: result.node, ids }, outputs: [] };
  if (result.result === 'forward') {
    const { to } = result.node;
    return {
      after: { node: result.node, ids },
      outputs: [{ ...record, self: to, ...(record.kind === 'link' && { to }) }],
    };
  }
  const added = record.kind === 'event' ? [record.id] : record.kind === 'hand_over' ? record.ids : [];
  const after = { node: result.node, ids: added.length === 0 ? ids : [...ids, ...added] };
  return { after, outputs: result.sent.map((sent) => ({ ...sent, self: sent.to })) };
}

function join({ node, ids }: WorldProfile, record: WorldRecord & { kind: 'join' }, at: At): Step {
  const result = takeJoin(node, { ...record, ...at });
  if (result.result === 'done') return { after: { node: result.node, ids }, outputs: [] };
  if (result.result === 'elsewhere') {
    return { after: { node: result.node, ids }, outputs: result.sent.map((sent) => ({ ...sent, self: sent.to })) };
  }
  const { to } = result.node;
  const handOver: WorldRecord = { kind: 'hand_over', self: to, from: record.self.key, members: result.members, ids };
  return { after: { node: result.node, ids: [] }, outputs: [handOver] };
}
