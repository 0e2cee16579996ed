import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createShop,
  exploreFunnel,
  explorePaths,
  exploreRetention,
  exploreRules,
  writeSyntheticArchive,
} from '@perennial/explore';
import { toLayout } from '@perennial/native-stack';
import { toMedian } from './statistics.js';

export interface ExploreBenchOptions {
  readonly root?: string | undefined;
  readonly events: number;
  readonly profiles: number;
  readonly partitions: number;
  readonly rounds: number;
  readonly memoryMb: number;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ExploreBenchReport {
  readonly options: Omit<ExploreBenchOptions, 'onProgress' | 'root' | 'signal'>;
  readonly files: number;
  readonly writeSeconds: number;
  /** Medians over the rounds. Each reads the archive anew, as a command does. */
  readonly questions: ReadonlyArray<{ readonly name: string; readonly seconds: number; readonly cpuSeconds: number }>;
  /** Resident memory of this process, DuckDB's included. */
  readonly memoryBytesMax: number;
}

const NAMESPACE = 'bench-explore';
const DAY_MS = 86_400_000;
const HALF_HOUR_MS = 1_800_000;
const DAYS = 180;
const START_MS = Date.UTC(2026, 0, 1);

/** Writes an archive of a made-up shop, asks each question of it, and removes it. */
export async function runExploreBench(options: ExploreBenchOptions): Promise<ExploreBenchReport> {
  const { root, onProgress, signal, ...rest } = options;
  const folder = join(toLayout({ root }).root, '.perennial', NAMESPACE);
  rmSync(folder, { recursive: true, force: true });
  try {
    onProgress(`writing ${options.events} events`);
    const written = performance.now();
    const files = await writeSyntheticArchive(
      { folder, namespace: NAMESPACE, partitions: options.partitions, fileMs: DAY_MS },
      createShop({ ...options, startMs: START_MS, days: DAYS, late: 0.02, repeated: 0.01 }),
    );
    const writeSeconds = (performance.now() - written) / 1_000;
    const source = { archive: folder, namespace: NAMESPACE, memoryMb: options.memoryMb };
    const questions = [];
    for (const [name, ask] of Object.entries(toQuestions(source))) {
      const runs = [];
      for (let round = 0; round < options.rounds; round += 1) {
        signal?.throwIfAborted();
        onProgress(`${name}, round ${round + 1} of ${options.rounds}`);
        runs.push(await measure(ask));
      }
      questions.push({
        name,
        seconds: toMedian(runs.map(({ seconds }) => seconds)),
        cpuSeconds: toMedian(runs.map(({ cpuSeconds }) => cpuSeconds)),
      });
    }
    const memoryBytesMax = process.resourceUsage().maxRSS * 1_024;
    return { options: rest, files, writeSeconds, questions, memoryBytesMax };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function formatExploreReport({
  options,
  files,
  writeSeconds,
  questions,
  memoryBytesMax,
}: ExploreBenchReport): string {
  return [
    `explore bench: ${options.events} events of ${options.profiles} profiles in ${files} files, ${options.rounds} round(s), medians, seed ${options.seed}`,
    '',
    'question            seconds   CPU seconds',
    ...questions.map(
      ({ name, seconds, cpuSeconds }) =>
        `${name.padEnd(18)} ${seconds.toFixed(2).padStart(8)} ${cpuSeconds.toFixed(2).padStart(13)}`,
    ),
    '',
    `written in ${writeSeconds.toFixed(0)} s; memory ${(memoryBytesMax / 2 ** 20).toFixed(0)} MiB at most`,
  ].join('\n');
}

function toQuestions(source: Parameters<typeof exploreFunnel>[0]): Record<string, () => Promise<unknown>> {
  const steps = ['Product Viewed', 'Product Added', 'Order Completed'];
  const list = { gapMs: HALF_HOUR_MS, top: 20 };
  const rules = { minSupport: 0.0001, minConfidence: 0.01, ...list };
  const bought = { start: 'Order Completed', back: 'Order Completed' };
  return {
    'funnel of 3 steps': () => exploreFunnel(source, { steps, withinMs: 7 * DAY_MS, by: 'week' }),
    'paths of 4 events': () => explorePaths(source, { length: 4, ...list }),
    'rules of items': () => exploreRules(source, { of: 'items', items: 2, ...rules }),
    'rules of 4 items': () => exploreRules(source, { of: 'items', items: 4, ...rules }),
    'rules of events': () => exploreRules(source, { of: 'events', items: 2, ...rules }),
    'rules of 4 events': () => exploreRules(source, { of: 'events', items: 4, ...rules }),
    'retention by week': () => exploreRetention(source, { ...bought, every: 'week', periods: 12 }),
  };
}

async function measure(ask: () => Promise<unknown>): Promise<{ seconds: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await ask();
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}
