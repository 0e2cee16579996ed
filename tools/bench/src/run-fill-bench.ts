import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createShop, writeSyntheticArchive } from '@perennial/explore';
import { toLayout } from '@perennial/native-stack';
import { FEATURE_COUNTS, FillSides } from './fill-sides.js';
import { toMedian } from './statistics.js';

export interface FillBenchOptions {
  readonly root?: string | undefined;
  readonly events: number;
  readonly profiles: number;
  readonly partitions: number;
  readonly rounds: number;
  /** Percent of one thread that the fill takes. */
  readonly sharePercent: number;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Side {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** How long the event loop, and so a read over HTTP, would have waited: 99th percentile and longest. */
  readonly loopDelayMs: { readonly p99: number; readonly max: number };
}

export interface FillBenchReport {
  readonly options: Omit<FillBenchOptions, 'onProgress' | 'root' | 'signal'>;
  readonly features: typeof FEATURE_COUNTS;
  readonly archiveFiles: number;
  readonly profiles: number;
  /** Of what the fill has written, which profiles take from. */
  readonly bytes: number;
  /** In turn. */
  readonly rounds: ReadonlyArray<{ readonly fill: Side; readonly live: Side }>;
}

const NAMESPACE = 'bench-fill';
const DAY_MS = 86_400_000;
/** So many a file of a day and a partition hold some hundred events, as they do in production. */
const EVENTS_PER_DAY = 6_000;
const DAYS_MAX = 181;
const START_MS = Date.UTC(2026, 0, 1);

/** Writes an archive of a made-up shop, fills a wider spec from it, in turn with folding the same records live, and removes both. */
export async function runFillBench(options: FillBenchOptions): Promise<FillBenchReport> {
  const { root, onProgress, signal, ...rest } = options;
  const days = Math.min(DAYS_MAX, Math.max(2, Math.round(options.events / EVENTS_PER_DAY)));
  const folder = join(toLayout({ root }).root, '.perennial', NAMESPACE);
  rmSync(folder, { recursive: true, force: true });
  try {
    onProgress(`writing ${options.events} events`);
    const archiveFiles = await writeSyntheticArchive(
      { folder, namespace: NAMESPACE, partitions: options.partitions, fileMs: DAY_MS },
      createShop({ ...options, startMs: START_MS, days, late: 0.02, repeated: 0.01 }),
    );
    const sides = new FillSides(folder, NAMESPACE);
    await sides.rollOut(START_MS + (days + 1) * DAY_MS);
    const rounds: Array<FillBenchReport['rounds'][number]> = [];
    let [profiles, bytes] = [0, 0];
    for (let round = 0; round < options.rounds; round += 1) {
      onProgress(`round ${round + 1} of ${options.rounds}`);
      const live = await measure(() => sides.foldLive());
      const fill = await measure(async () => {
        const filled = await sides.fill({ share: options.sharePercent / 100, signal });
        ({ profiles, bytes } = filled);
      });
      signal?.throwIfAborted();
      rounds.push({ fill, live });
    }
    return { options: rest, features: FEATURE_COUNTS, archiveFiles, profiles, bytes, rounds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(work: () => Promise<unknown>): Promise<Side> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  const loopDelayMs = { p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 };
  return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1e6, loopDelayMs };
}

export function formatFillReport({
  options,
  features,
  archiveFiles,
  profiles,
  bytes,
  rounds,
}: FillBenchReport): string {
  const median = (pick: (round: FillBenchReport['rounds'][number]) => number) => toMedian(rounds.map(pick));
  const toLine = (name: string, side: 'fill' | 'live') => {
    const [seconds, cpuSeconds] = [median((round) => round[side].seconds), median((round) => round[side].cpuSeconds)];
    const rates = [options.events / seconds, options.events / cpuSeconds].map((rate) =>
      Math.round(rate).toLocaleString('en'),
    );
    return `${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s ${cpuSeconds.toFixed(1).padStart(7)} CPU s ${rates[0]?.padStart(9)} events/s ${rates[1]?.padStart(9)} a CPU second`;
  };
  const delay = (name: 'p99' | 'max') => median(({ fill }) => fill.loopDelayMs[name]).toFixed(1);
  const ratio = median(({ fill, live }) => live.cpuSeconds / fill.cpuSeconds);
  return [
    `fill bench: ${options.events} events of ${profiles} profiles in ${archiveFiles} files, ${features.before} features and ${features.added} more, seed ${options.seed}, medians of ${rounds.length}`,
    '',
    toLine('folded live', 'live'),
    toLine(`filled`, 'fill'),
    '',
    `a CPU second fills ${ratio.toFixed(2)} times the events that it folds live; ${bytes} bytes written; the fill had ${options.sharePercent} % of a thread`,
    `while it filled, the event loop was ${delay('p99')} ms late at the 99th percentile, ${delay('max')} at most`,
  ].join('\n');
}
