import { GROUP_NAMES, GROUPS, type ServiceName, toConsumerGroup, toTopic } from '@perennial/contracts';
import { type Log, readUnread } from '@perennial/kafka';
import { type Clock, every, type Interval, systemClock } from '@perennial/kernel';
import type { Fleet } from './fleet.js';

/** Not the archive's: it commits offsets by files, minutes apart. */
const WATCHED = GROUP_NAMES.filter((name) => GROUPS[name].role !== 'archive');
/**
 * A partition that stands still for longer than this, while every instance says that it is ready, is a lie. Services
 * notice it after 30 s.
 */
const STANDSTILL_MS_MAX = 45_000;
const INTERVAL_MS = 1_000;

interface Standing {
  /** Next offset to read. */
  readonly from: number;
  /** Since when it stood there with unread records and all instances ready. */
  readonly sinceMs: number;
}

/** Watches whether readiness tells the truth: a service all of whose instances are ready must advance on every partition. */
export class ReadinessWatch {
  readonly #log: Log;
  readonly #fleet: Pick<Fleet, 'of' | 'readReadiness'>;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #standing = new Map<string, Standing>();
  readonly #lies = new Set<string>();
  #interval: Interval | undefined;

  constructor(options: {
    readonly log: Log;
    readonly fleet: Pick<Fleet, 'of' | 'readReadiness'>;
    readonly namespace: string;
    readonly clock?: Clock;
  }) {
    this.#log = options.log;
    this.#fleet = options.fleet;
    this.#namespace = options.namespace;
    this.#clock = options.clock ?? systemClock;
  }

  start(): void {
    // What cannot be read, as while a fault holds the broker, says nothing.
    const onError = () => this.#standing.clear();
    this.#interval = every({ intervalMs: INTERVAL_MS, clock: this.#clock, onError }, () => this.observe());
  }

  /** What stood still while it was said to be ready, one line each. */
  async stop(): Promise<readonly string[]> {
    await this.#interval?.stop();
    return [...this.#lies];
  }

  async observe(): Promise<void> {
    const ready = new Map<ServiceName, boolean>();
    for (const name of WATCHED) {
      const { service, topic } = GROUPS[name];
      if (!ready.has(service)) ready.set(service, await this.#isReady(service));
      const unread = await readUnread(this.#log, {
        groupId: toConsumerGroup(this.#namespace, name),
        topic: toTopic(this.#namespace, topic),
      });
      for (const [partition, { from, to }] of unread)
        this.#note(`${name}, partition ${partition}`, { from, isIdle: from === to || ready.get(service) !== true });
    }
  }

  #note(what: string, { from, isIdle }: { from: number; isIdle: boolean }): void {
    const before = this.#standing.get(what);
    if (isIdle) this.#standing.delete(what);
    else if (before?.from !== from) this.#standing.set(what, { from, sinceMs: this.#clock.steadyMs() });
    else if (this.#clock.steadyMs() - before.sinceMs > STANDSTILL_MS_MAX)
      this.#lies.add(`${what} stood at offset ${from} for ${STANDSTILL_MS_MAX / 1000} s while its service was ready`);
  }

  async #isReady(service: ServiceName): Promise<boolean> {
    const instances = this.#fleet.of(service);
    const reasons = await Promise.all(instances.map(({ url }) => this.#fleet.readReadiness(url)));
    return instances.length > 0 && reasons.every((reason) => reason === '');
  }
}
