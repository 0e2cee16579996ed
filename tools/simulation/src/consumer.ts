import {
  type ConsumerOptions,
  GroupMembership,
  type LogConsumer,
  type LogConsumerHandlers,
  type LogRecord,
} from '@perennial/kafka';
import type { Broker } from './broker.js';
import type { GroupCoordinator, GroupMember } from './group.js';
import type { Network } from './network.js';
import type { SimulatedProcess } from './simulated-process.js';

const FETCH_ITEMS_MAX = 6;
/** How long the broker holds a fetch that has no records. */
const FETCH_WAIT_MS = 3000;
/** Sometimes a fetch from before a seek is delivered, as with the real client. */
const STRAY_CHANCE = 0.3;
const RETRY_MS = 200;

export interface ConsumerParts {
  readonly process: SimulatedProcess;
  readonly network: Network;
  readonly broker: Broker;
  readonly group: GroupCoordinator;
  /** Virtual time at the broker. */
  readonly wait: (ms: number) => Promise<void>;
}

/** One member of a group, with the real GroupMembership, which orders the calls of its handlers. */
export class SimulatedConsumer implements LogConsumer, GroupMember {
  readonly process: SimulatedProcess;
  readonly #parts: ConsumerParts;
  readonly #options: ConsumerOptions;
  readonly #handlers: LogConsumerHandlers;
  readonly #membership: GroupMembership;
  readonly #positions = new Map<number, number>();
  readonly #busy = new Map<number, Promise<void>>();
  #round = 0;
  #assignedRound = 0;
  #stopped = false;

  constructor(parts: ConsumerParts, options: ConsumerOptions, handlers: LogConsumerHandlers) {
    this.process = parts.process;
    this.#parts = parts;
    this.#options = options;
    this.#handlers = handlers;
    this.#membership = new GroupMembership(handlers, (error) => this.#report(error), parts.process.clock);
  }

  start(): void {
    this.#join();
  }

  onRebalancing(round: number): void {
    if (this.#stopped || round < this.#round) return;
    this.#round = round;
    this.#assignedRound = 0;
    const revoked = this.#membership.revokeAll();
    // Like the real client, it may rejoin before its handlers have finished: two then share a partition for a while.
    if (this.process.draw.chance(0.5)) this.#join();
    else void revoked.then(() => this.#join());
  }

  onAssigned(round: number, partitions: readonly number[]): void {
    if (this.#stopped || round < this.#round || round === this.#assignedRound) return;
    this.#round = round;
    this.#assignedRound = round;
    this.#positions.clear();
    for (const partition of partitions) this.#positions.set(partition, this.#parts.group.committed.get(partition) ?? 0);
    this.#membership.assign(partitions);
    void this.#membership.settled.then(() => {
      for (const partition of partitions) this.#deliver(partition, this.#membership.generation);
    });
  }

  onExpelled(): void {
    if (this.#stopped) return;
    this.#assignedRound = 0;
    this.#report(new Error('the session was lost'));
    void this.#membership.revokeAll();
    this.#join();
  }

  seek(partition: number, offset: number): void {
    if (this.#membership.owns(partition)) this.#positions.set(partition, offset);
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const owned = [...offsets].filter(([partition]) => this.#membership.owns(partition));
    const { group, network } = this.#parts;
    try {
      const execute = () => {
        if (!group.has(this)) return;
        for (const [partition, next] of owned) group.committed.set(partition, next);
      };
      await network.call(this.process, { service: 'broker', what: 'commit group offsets', execute });
    } catch (error) {
      this.#report(error);
    }
  }

  /** The simulated log has no control records. */
  beyond(_partition: number, next: number): number {
    return next;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#membership.revokeAll();
    await Promise.all(this.#busy.values());
    this.#parts.network.notify(this.process, () => this.#parts.group.leave(this));
  }

  #join(): void {
    if (!this.#stopped) this.#parts.network.notify(this.process, () => this.#parts.group.join(this));
  }

  #deliver(partition: number, generation: number): void {
    const isOurs = () => this.#membership.generation === generation && this.#membership.owns(partition);
    const before = this.#busy.get(partition) ?? Promise.resolve();
    const delivering = before.then(async () => {
      while (isOurs()) await this.#deliverOnce(partition, isOurs);
    });
    this.#busy.set(partition, delivering);
  }

  async #deliverOnce(partition: number, isOurs: () => boolean): Promise<void> {
    const position = this.#positions.get(partition) ?? 0;
    try {
      const records = await this.#fetch(partition, position);
      const moved = this.#positions.get(partition) !== position;
      if (!isOurs() || (moved && !this.process.draw.chance(STRAY_CHANCE))) return;
      // Beyond either end: the real client restarts at the earliest record.
      if (records === undefined) {
        const { broker } = this.#parts;
        return void this.#positions.set(partition, broker.low({ topic: this.#options.topic, partition }));
      }
      const last = records.at(-1);
      if (last === undefined) return;
      await this.#handlers.onRecords(partition, records);
      if (isOurs() && this.#positions.get(partition) === position) this.#positions.set(partition, last.offset + 1);
    } catch (error) {
      this.#report(error);
      await this.process.clock.wait(RETRY_MS);
    }
  }

  #fetch(partition: number, offset: number): Promise<readonly LogRecord[] | undefined> {
    const { broker, network, wait } = this.#parts;
    const { topic } = this.#options;
    const itemsMax = this.process.draw.whole({ from: 1, to: FETCH_ITEMS_MAX });
    const execute = async () => {
      if (broker.read({ topic, partition, offset, itemsMax })?.length === 0) {
        const changed = new Promise<void>((resolve) => broker.onChange({ topic, partition }, resolve));
        await Promise.race([changed, wait(FETCH_WAIT_MS)]);
      }
      return broker.read({ topic, partition, offset, itemsMax });
    };
    return network.call(this.process, {
      service: 'broker',
      what: `fetch ${topic}/${partition} from ${offset}`,
      execute,
    });
  }

  #report(error: unknown): void {
    this.#handlers.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}
