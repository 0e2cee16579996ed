import type { Draw } from './draw.js';
import type { Network } from './network.js';
import type { Scheduler } from './scheduler.js';
import type { SimulatedProcess } from './simulated-process.js';

/** How long the group waits for its members to rejoin during a rebalance. */
const REBALANCE_TIMEOUT_MS = 4000;
/** A member learns of a rebalance at its next heartbeat. */
const HEARTBEAT_MS = 300;

/** Notifications of the coordinator to a member. */
export interface GroupMember {
  readonly process: SimulatedProcess;
  /** Release all partitions and rejoin. */
  onRebalancing(round: number): void;
  onAssigned(round: number, partitions: readonly number[]): void;
  /** The group has continued without this member. */
  onExpelled(): void;
}

export interface GroupOptions {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly draw: Draw;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
}

interface Membership {
  /** It has rejoined in the current round. */
  joined: boolean;
  partitions: readonly number[];
}

/**
 * A consumer group's coordinator, according to Kafka's eager protocol: a change of members begins a round in which all
 * release their partitions and rejoin. A member that sends no heartbeat for a session timeout, or does not rejoin, is
 * removed and notified when it can be reached again. Until then it acts as if it owned its partitions.
 */
export class GroupCoordinator {
  readonly committed = new Map<number, number>();
  readonly #options: GroupOptions;
  readonly #members = new Map<GroupMember, Membership>();
  #round = 0;
  #balancing = false;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  has(member: GroupMember): boolean {
    return this.#members.has(member);
  }

  /** A member joins or rejoins. */
  join(member: GroupMember): void {
    if (unreachable(member)) return;
    const known = this.#members.get(member);
    if (known === undefined) {
      this.rebalance();
      this.#members.set(member, { joined: true, partitions: [] });
    } else if (this.#balancing) known.joined = true;
    else this.#assign(member);
    this.#dealWhenComplete();
  }

  leave(member: GroupMember): void {
    if (!this.#members.delete(member)) return;
    this.rebalance();
    this.#dealWhenComplete();
  }

  /** Its heartbeats have stopped: it is removed unless one arrives within the session timeout. */
  lostTouch(member: GroupMember): void {
    this.#options.scheduler.schedule(this.#options.sessionTimeoutMs, () => {
      if (unreachable(member)) this.leave(member);
    });
  }

  /** It can be reached again, and receives the missed notifications. */
  regainedTouch(member: GroupMember): void {
    this.#options.scheduler.schedule(this.#heartbeatMs(), () => {
      if (unreachable(member)) return;
      const membership = this.#members.get(member);
      if (membership === undefined) this.#options.network.notify(member.process, () => member.onExpelled());
      else if (this.#balancing) this.#invite(member);
      else this.#assign(member);
    });
  }

  rebalance(): void {
    if (this.#balancing) return;
    this.#balancing = true;
    const round = ++this.#round;
    for (const [member, membership] of this.#members) {
      membership.joined = false;
      this.#options.scheduler.schedule(this.#heartbeatMs(), () => this.#invite(member));
    }
    this.#options.scheduler.schedule(REBALANCE_TIMEOUT_MS, () => this.#endRound(round));
  }

  #invite(member: GroupMember): void {
    const round = this.#round;
    if (this.#members.get(member)?.joined === false && !unreachable(member))
      this.#options.network.notify(member.process, () => member.onRebalancing(round));
  }

  #endRound(round: number): void {
    if (!this.#balancing || round !== this.#round) return;
    for (const [member, { joined }] of this.#members) {
      if (joined) continue;
      this.#members.delete(member);
      if (!unreachable(member)) this.#options.network.notify(member.process, () => member.onExpelled());
    }
    this.#dealWhenComplete();
  }

  #dealWhenComplete(): void {
    if (!this.#balancing || [...this.#members.values()].some(({ joined }) => !joined)) return;
    this.#balancing = false;
    const members = this.#options.draw.shuffle([...this.#members.keys()]);
    const partitions = Array.from({ length: this.#options.partitions }, (_, partition) => partition);
    for (const [index, member] of members.entries()) {
      const dealt = partitions.filter((partition) => partition % members.length === index);
      this.#members.set(member, { joined: true, partitions: dealt });
      this.#assign(member);
    }
  }

  #assign(member: GroupMember): void {
    const round = this.#round;
    const partitions = this.#members.get(member)?.partitions ?? [];
    this.#options.network.notify(member.process, () => {
      if (!member.process.cutOff) member.onAssigned(round, partitions);
    });
  }

  #heartbeatMs(): number {
    return this.#options.draw.whole({ from: 0, to: HEARTBEAT_MS });
  }
}

function unreachable({ process }: GroupMember): boolean {
  return process.cutOff || !process.running;
}
