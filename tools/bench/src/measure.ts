import { toTopic } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import type { Chain } from './chain.js';
import { Load, type Sent } from './load.js';
import { readCpuOf } from './processor-time.js';
import { waitForQuiet } from './quiet.js';
import { ResultWatch } from './result-watch.js';
import { toPercentile } from './statistics.js';
import { until } from './until.js';

export interface MeasureOptions {
  readonly chain: Chain;
  readonly log: Log;
  /** Process ids of broker and stores. */
  readonly stackPids: Readonly<Record<string, number>>;
  readonly run: string;
  readonly seed: number;
  readonly newShare: number;
  readonly batchEvents: number;
  readonly load:
    | { readonly kind: 'flat-out'; readonly events: number }
    | { readonly kind: 'steady'; readonly eventsPerSecond: number; readonly seconds: number };
}

/** Result of one run of one pipeline. Times in ms; CPU in microseconds an event. */
export interface Measured {
  readonly chain: Chain['kind'];
  readonly load: string;
  readonly events: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** From the HTTP answer until the consumer sees the action. */
  readonly fromAckMs: { p50: number; p99: number };
  /** From the broker's append of the accepted event to that of the action. */
  readonly fromAppendMs: { p50: number; p99: number };
  readonly actions: number;
  readonly cpuMicrosPerEvent: Readonly<Record<string, number>>;
}

/** Timeout for the pipeline to finish what it was sent. */
const FINISH_WAIT = { waitMsMax: 180_000, pollMs: 20 };
/**
 * New users in the last request. When each has its action, everything earlier on its partition is processed. They are a
 * burst, so they do not count for the latency.
 */
const SENTINELS = 300;

/**
 * Sends a load once the system is quiet, waits until the pipeline has processed all of it, and measures. Latency is
 * that of each user's first event, which makes a new customer and causes a welcome.
 */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { chain, log, load: wanted } = options;
  const { namespace } = chain.platform;
  const hasKey = (record: LogRecord) => record.key !== null;
  const watch = (topic: 'eventAccepted' | 'actionDecided', pace: 'at once' | 'in bulk') =>
    ResultWatch.start(log, { topic: toTopic(namespace, topic), pace, isCounted: hasKey });
  // Only the append time of accepted events matters, and the record holds it however late it is read.
  const accepted = await watch('eventAccepted', 'in bulk');
  const decided = await watch('actionDecided', 'at once');
  const load = new Load({ ...options, ingestUrl: chain.platform.urls.ingest, writeKey: chain.writeKey });
  const acks = new Map<string, number>();
  const note = (sent: readonly Sent[]) => {
    for (const { userId, ackedAtMs } of sent) if (!acks.has(userId)) acks.set(userId, ackedAtMs);
  };
  const pids = { ...chain.pids, ...options.stackPids };
  await waitForQuiet(pids);
  const cpuBefore = readCpuOf(pids);
  const startedMs = performance.now();
  let skipped = 0;
  if (wanted.kind === 'flat-out') await load.flatOut(wanted.events, note);
  else ({ skipped } = await load.steady(wanted.eventsPerSecond, wanted.seconds, note));
  const last = await load.lastUsers(SENTINELS);
  await untilFinished(chain, { decided, events: load.made, users: acks.size + last.length });
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuAfter = readCpuOf(pids);
  await until(() => accepted.count >= load.made, {
    ...FINISH_WAIT,
    otherwise: () => `the log shows ${accepted.count} of ${load.made} accepted events`,
  });
  await Promise.all([accepted.stop(), decided.stop()]);
  load.close();
  return {
    chain: chain.kind,
    load: wanted.kind === 'flat-out' ? 'flat out' : `${wanted.eventsPerSecond}/s`,
    events: load.made,
    skipped,
    seconds,
    eventsPerSecond: load.made / seconds,
    ...toLatencies(chain, { accepted, decided, acks }),
    actions: decided.count,
    cpuMicrosPerEvent: Object.fromEntries(
      Object.entries(cpuAfter).map(([name, used]) => [name, ((used - (cpuBefore[name] ?? 0)) * 1e6) / load.made]),
    ),
  };
}

function untilFinished(chain: Chain, seen: { decided: ResultWatch; events: number; users: number }): Promise<void> {
  const { decided, events, users } = seen;
  // Each user has an action; the empty pipeline makes one of every event.
  const isFinished = () => decided.byKey.size >= users && (chain.kind === 'real' || decided.count >= events);
  const otherwise = () => `of the ${chain.kind} chain ${decided.byKey.size} of ${users} users have their action`;
  return until(isFinished, { ...FINISH_WAIT, otherwise });
}

function toLatencies(
  chain: Chain,
  seen: { accepted: ResultWatch; decided: ResultWatch; acks: ReadonlyMap<string, number> },
): Pick<Measured, 'fromAckMs' | 'fromAppendMs'> {
  const { toProfileKey } = createPseudonymizer(must(chain.platform.environmentOf('ingest').PERENNIAL_SECRET, 'secret'));
  const fromAck: number[] = [];
  const fromAppend: number[] = [];
  for (const [userId, ackedAtMs] of seen.acks) {
    const key = toProfileKey({ userId });
    const action = must(seen.decided.byKey.get(key)?.[0], `action of ${userId}`);
    const event = must(seen.accepted.byKey.get(key)?.[0], `event of ${userId}`);
    fromAck.push(action.seenAtMs - ackedAtMs);
    fromAppend.push(action.appendedAtMs - event.appendedAtMs);
  }
  const summarise = (values: readonly number[]) => ({
    p50: toPercentile(values, 0.5),
    p99: toPercentile(values, 0.99),
  });
  return { fromAckMs: summarise(fromAck), fromAppendMs: summarise(fromAppend) };
}
