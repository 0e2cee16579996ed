import type { LogProducer } from '@perennial/kafka';
import { type Clock, every, type Interval, toMessage } from '@perennial/kernel';
import { toTickRecord } from '../records.js';
import type { IngestEvents } from '../telemetry.js';

export const TICKER_LIMITS = {
  intervalMs: 1_000,
  /** Maximum difference between this machine's clock and the broker's: a tick from the future cannot be undone. */
  skewMaxMs: 5_000,
  /** Interval between comparisons of the clocks. */
  probeIntervalMs: 60_000,
  /** Delay after a failed comparison. */
  probeRetryMs: 5_000,
} as const;

export interface TickerOptions {
  readonly producer: LogProducer;
  readonly acceptedTopic: string;
  readonly owned: () => ReadonlySet<number>;
  readonly clock: Clock;
  readonly events: IngestEvents;
  /** Measures the broker's clock minus this machine's, ms. `partition` is one that this instance owns. */
  readonly probe: (partition: number) => Promise<number>;
}

/** Writes a tick every second to each partition that this instance owns, once it knows that its clock is right. */
export interface Ticker {
  /** Why no ticks are written; empty when they are. */
  problems(): readonly string[];
  lastTickMs(): number | undefined;
  stop(): Promise<void>;
}

export function startTicker(options: TickerOptions): Ticker {
  return new PartitionTicker(options);
}

class PartitionTicker implements Ticker {
  readonly #options: TickerOptions;
  readonly #stopping = new AbortController();
  readonly #probes: Promise<void>;
  readonly #ticks: Interval;
  #probeNow = new AbortController();
  #skewMs: number | undefined;
  /** Wall clock minus steady clock when the skew was measured. */
  #measuredAtMs = 0;
  #probeError: string | undefined;
  #lastTickMs: number | undefined;

  constructor(options: TickerOptions) {
    this.#options = options;
    this.#probes = this.#runProbes();
    this.#ticks = this.#startTicks();
  }

  problems(): readonly string[] {
    const { owned } = this.#options;
    if (this.#skewMs === undefined) {
      const why = this.#probeError === undefined ? '' : `: ${this.#probeError}`;
      return owned().size === 0 ? [] : [`the broker's clock is not known yet${why}`];
    }
    return this.#isRight() ? [] : [`this machine's clock is ${-this.#skewMs} ms ahead of the broker's`];
  }

  lastTickMs(): number | undefined {
    return this.#lastTickMs;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#probes, this.#ticks.stop()]);
  }

  async #measure(partition: number): Promise<number> {
    const { clock, events, probe } = this.#options;
    try {
      const before = clock.now() - clock.steadyMs();
      this.#skewMs = await probe(partition);
      this.#measuredAtMs = before;
      this.#probeError = undefined;
      events.clockMeasured(this.#skewMs);
      if (!this.#isRight()) events.clockOff(this.#skewMs);
      return this.#isRight() ? TICKER_LIMITS.probeIntervalMs : TICKER_LIMITS.probeRetryMs;
    } catch (error) {
      if (!this.#stopping.signal.aborted) events.clockUnknown(error);
      this.#probeError = toMessage(error);
      return TICKER_LIMITS.probeRetryMs;
    }
  }

  #isRight(): boolean {
    return this.#skewMs !== undefined && Math.abs(this.#skewMs) <= TICKER_LIMITS.skewMaxMs;
  }

  /** A clock that was set since the last probe is not trusted until the next probe. */
  #checkSteady(): void {
    const { clock, events } = this.#options;
    const jumpMs = clock.now() - clock.steadyMs() - this.#measuredAtMs;
    if (this.#skewMs === undefined || Math.abs(jumpMs) <= TICKER_LIMITS.skewMaxMs) return;
    events.clockJumped(jumpMs);
    this.#skewMs = undefined;
    this.#probeError = `this machine's clock jumped by ${Math.round(jumpMs)} ms`;
    this.#probeNow.abort();
  }

  async #tick(): Promise<void> {
    const { producer, acceptedTopic: topic, owned, clock, events } = this.#options;
    const timeMs = Math.max(clock.now(), this.#lastTickMs ?? 0);
    const records = [...owned()].map((partition) => toTickRecord(timeMs, { topic, partition }));
    if (records.length === 0) return;
    this.#lastTickMs = timeMs;
    await producer.send(records);
    events.ticked(records.length);
  }

  async #runProbes(): Promise<void> {
    const { owned, clock } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const [partition] = owned();
      const waitMs = partition === undefined ? TICKER_LIMITS.intervalMs : await this.#measure(partition);
      this.#probeNow = new AbortController();
      await clock.wait(waitMs, AbortSignal.any([this.#stopping.signal, this.#probeNow.signal]));
    }
  }

  /** One send at a time: while Kafka is unavailable no ticks pile up. */
  #startTicks(): Interval {
    const { clock, events } = this.#options;
    const { intervalMs } = TICKER_LIMITS;
    return every({ intervalMs, clock, immediately: true, paced: true, onError: events.tickFailed }, async () => {
      this.#checkSteady();
      if (this.#isRight()) await this.#tick();
    });
  }
}
