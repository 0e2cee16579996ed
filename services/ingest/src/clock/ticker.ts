import type { LogProducer } from '@perennial/kafka';
import { type Clock, toMessage } from '@perennial/kernel';
import type { IngestEvents } from '../events.js';
import { toTickRecord } from '../records.js';

export const TICKER_LIMITS = {
  intervalMs: 1_000,
  /** How far this machine's clock may be off the broker's: a tick from the future cannot be taken back. */
  skewMaxMs: 5_000,
  /** Between comparisons of the clocks. */
  probeIntervalMs: 60_000,
  /** After a comparison that failed. */
  probeRetryMs: 5_000,
} as const;

export interface TickerOptions {
  readonly producer: LogProducer;
  readonly acceptedTopic: string;
  readonly owned: () => ReadonlySet<number>;
  readonly clock: Clock;
  readonly events: IngestEvents;
  /** Measures the broker's clock minus this machine's, ms. `partition` is one that this instance has. */
  readonly probe: (partition: number) => Promise<number>;
}

/** Writes "time has reached T" once a second to each partition that this instance has, once it knows that its clock is right. */
export interface Ticker {
  /** Why no ticks are written; empty while all is well. */
  problems(): readonly string[];
  lastTickMs(): number | undefined;
  stop(): Promise<void>;
}

export function startTicker({ producer, acceptedTopic, owned, clock, events, probe }: TickerOptions): Ticker {
  const stopping = new AbortController();
  let probeNow = new AbortController();
  let skewMs: number | undefined;
  /** Wall clock minus steady clock when the skew was measured. */
  let measuredAtMs = 0;
  let probeError: string | undefined;
  let lastTickMs: number | undefined;

  async function measure(partition: number): Promise<number> {
    try {
      const before = clock.now() - clock.steadyMs();
      skewMs = await probe(partition);
      measuredAtMs = before;
      probeError = undefined;
      events.clockMeasured(skewMs);
      if (Math.abs(skewMs) > TICKER_LIMITS.skewMaxMs) events.clockOff(skewMs);
      return isRight() ? TICKER_LIMITS.probeIntervalMs : TICKER_LIMITS.probeRetryMs;
    } catch (error) {
      if (!stopping.signal.aborted) events.clockUnknown(error);
      probeError = toMessage(error);
      return TICKER_LIMITS.probeRetryMs;
    }
  }

  function isRight(): boolean {
    return skewMs !== undefined && Math.abs(skewMs) <= TICKER_LIMITS.skewMaxMs;
  }

  /** A clock that was set since the last probe is not to be believed until the next one. */
  function checkSteady(): void {
    const jumpMs = clock.now() - clock.steadyMs() - measuredAtMs;
    if (skewMs === undefined || Math.abs(jumpMs) <= TICKER_LIMITS.skewMaxMs) return;
    events.clockJumped(jumpMs);
    skewMs = undefined;
    probeError = `this machine's clock jumped by ${Math.round(jumpMs)} ms`;
    probeNow.abort();
  }

  async function tick(): Promise<void> {
    const timeMs = Math.max(clock.now(), lastTickMs ?? 0);
    const records = [...owned()].map((partition) => toTickRecord(timeMs, { topic: acceptedTopic, partition }));
    if (records.length === 0) return;
    lastTickMs = timeMs;
    await producer.send(records);
    events.ticked(records.length);
  }

  async function runProbes(): Promise<void> {
    while (!stopping.signal.aborted) {
      const [partition] = owned();
      const waitMs = partition === undefined ? TICKER_LIMITS.intervalMs : await measure(partition);
      probeNow = new AbortController();
      await clock.wait(waitMs, AbortSignal.any([stopping.signal, probeNow.signal]));
    }
  }

  async function runTicks(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedAtMs = clock.steadyMs();
      // One send at a time: while Kafka is away no ticks pile up.
      checkSteady();
      if (isRight()) await tick().catch((error: unknown) => events.tickFailed(error));
      const restMs = TICKER_LIMITS.intervalMs - (clock.steadyMs() - startedAtMs);
      await clock.wait(Math.max(restMs, 1), stopping.signal);
    }
  }

  const running = Promise.all([runProbes(), runTicks()]);
  return {
    problems() {
      if (skewMs === undefined)
        return owned().size === 0 ? [] : [`the broker's clock is not known yet${probeError ? `: ${probeError}` : ''}`];
      return isRight() ? [] : [`this machine's clock is ${-skewMs} ms ahead of the broker's`];
    },
    lastTickMs: () => lastTickMs,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
