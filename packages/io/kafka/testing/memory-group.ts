import {
  type ConsumerOptions,
  GroupMembership,
  type LogConsumer,
  type LogConsumerHandlers,
  PassedOffsets,
} from '@perennial/kafka';
import type { MemoryTopic } from './memory-topic.js';

/** Wait before a failed delivery is repeated. */
const REDELIVERY_WAIT_MS = 5;

/** A consumer group in memory: every change of membership revokes all partitions and assigns them again. */
export class MemoryGroup {
  readonly topic: MemoryTopic;
  readonly committed = new Map<number, number>();
  #members: MemoryConsumer[] = [];
  /** Members that are leaving but whose handlers still run. */
  readonly #departures = new Set<Promise<void>>();
  #dealing: Promise<void> = Promise.resolve();

  constructor(topic: MemoryTopic) {
    this.topic = topic;
  }

  join(options: ConsumerOptions, handlers: LogConsumerHandlers): MemoryConsumer {
    const member = new MemoryConsumer(this, options, handlers);
    this.#members.push(member);
    void this.rebalance();
    return member;
  }

  async leave(member: MemoryConsumer): Promise<void> {
    this.#members = this.#members.filter((other) => other !== member);
    const departure = member.finish();
    this.#departures.add(departure);
    await this.rebalance();
    this.#departures.delete(departure);
  }

  /**
   * The member disappears as a killed process does: its handlers are not called, and its partitions go to the others.
   */
  async lose(member: MemoryConsumer): Promise<void> {
    this.#members = this.#members.filter((other) => other !== member);
    await this.rebalance();
  }

  /** Revokes from all members, then assigns again; resolves when every member has been notified. */
  rebalance(): Promise<void> {
    this.#dealing = this.#dealing.then(async () => {
      await Promise.all([...this.#departures, ...this.#members.map((member) => member.membership.revokeAll())]);
      const members = this.#members;
      for (const [index, member] of members.entries()) {
        const partitions = Array.from({ length: this.topic.partitions }, (_, partition) => partition);
        member.assign(partitions.filter((partition) => partition % members.length === index));
      }
      await Promise.all(members.map((member) => member.membership.settled));
    });
    return this.#dealing;
  }
}

/** One member of a group in memory. */
export class MemoryConsumer implements LogConsumer {
  readonly membership: GroupMembership;
  readonly #group: MemoryGroup;
  readonly #options: ConsumerOptions;
  readonly #handlers: LogConsumerHandlers;
  readonly #positions = new Map<number, number>();
  /** Number of seeks per partition: a seek to the current offset counts too. */
  readonly #seeks = new Map<number, number>();
  readonly #busy = new Map<number, Promise<void>>();
  readonly #passed = new PassedOffsets();
  readonly #wakers = new Set<() => void>();
  #leaving: Promise<void> | undefined;

  constructor(group: MemoryGroup, options: ConsumerOptions, handlers: LogConsumerHandlers) {
    this.#group = group;
    this.#options = options;
    this.#handlers = handlers;
    this.membership = new GroupMembership(handlers, (error) => this.#report(error));
  }

  seek(partition: number, offset: number): void {
    if (!this.membership.owns(partition)) return;
    this.#positions.set(partition, offset);
    this.#seeks.set(partition, (this.#seeks.get(partition) ?? 0) + 1);
    for (const wake of this.#wakers) wake();
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, next] of offsets) {
      if (this.membership.owns(partition)) this.#group.committed.set(partition, next);
    }
  }

  beyond(partition: number, next: number): number {
    return this.#passed.beyond(partition, next);
  }

  async stop(): Promise<void> {
    this.#leaving ??= this.#group.leave(this);
    await this.#leaving;
  }

  /** Revokes everything; resolves when no handler runs any more. */
  async finish(): Promise<void> {
    const revoked = this.membership.revokeAll();
    this.#wakeAll();
    await revoked;
    await Promise.all(this.#busy.values());
  }

  assign(partitions: readonly number[]): void {
    this.#positions.clear();
    for (const partition of partitions) this.#positions.set(partition, this.#begin(partition));
    this.membership.assign(partitions);
    this.#wakeAll();
    void this.membership.settled.then(() => {
      for (const partition of partitions) this.#deliver(partition, this.membership.generation);
    });
  }

  #begin(partition: number): number {
    const { low, high } = this.#group.topic.offsets(partition);
    return this.#group.committed.get(partition) ?? (this.#options.fromBeginning ? low : high);
  }

  #deliver(partition: number, generation: number): void {
    const isOurs = () => this.membership.generation === generation && this.membership.owns(partition);
    const before = this.#busy.get(partition) ?? Promise.resolve();
    const delivering = before.then(async () => {
      while (isOurs()) await this.#deliverOnce(partition, isOurs);
    });
    this.#busy.set(partition, delivering);
  }

  async #deliverOnce(partition: number, isOurs: () => boolean): Promise<void> {
    const position = this.#positions.get(partition) ?? 0;
    const seeks = this.#seeks.get(partition);
    const isSought = () => this.#seeks.get(partition) !== seeks;
    const { records, next } = this.#group.topic.read(partition, position, this.#options.fetchBytesPerPartitionMax);
    if (next <= position) return this.#waitForMore(partition);
    try {
      // One turn of the event loop, as a fetch would take.
      await new Promise((resolve) => setImmediate(resolve));
      if (!isOurs() || isSought()) return;
      if (records.length > 0) await this.#handlers.onRecords(partition, records);
      if (!isOurs() || isSought()) return;
      this.#positions.set(partition, next);
      this.#pass(partition, { from: (records.at(-1)?.offset ?? position - 1) + 1, to: next });
    } catch (error) {
      this.#report(error);
      await new Promise((resolve) => setTimeout(resolve, REDELIVERY_WAIT_MS));
    }
  }

  #pass(partition: number, range: { from: number; to: number }): void {
    if (range.to <= range.from) return;
    this.#passed.add(partition, range);
    this.#handlers.onPassed?.(partition, range.to);
  }

  #waitForMore(partition: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        resolve();
      };
      this.#wakers.add(wake);
      this.#group.topic.onAppend(partition, wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  #report(error: unknown): void {
    this.#handlers.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}
