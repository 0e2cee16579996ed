import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '@perennial/contracts';
import { AppError, must, ReleaseStack, untilAborted } from '@perennial/kernel';
import { describePlatform, openLog, type PlatformOptions, stopPlatform } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { writeBenchPolicy } from './bench-policy.js';
import { type Chain, startChain } from './chain.js';
import { type Measured, type MeasureOptions, measure } from './measure.js';
import { readProfileBytes } from './profile-bytes.js';

export interface BenchOptions {
  readonly root?: string | undefined;
  /** Events of a flat-out run. */
  readonly events: number;
  /** Events a second of the steady runs. */
  readonly rates: readonly number[];
  /** How long each pipeline is warmed up: at WARM_EVENTS_PER_SECOND, then flat out. */
  readonly warmSeconds: number;
  readonly seconds: number;
  /** How often each pipeline runs each load, alternating. */
  readonly rounds: number;
  /** Events of one HTTP request. */
  readonly batchEvents: number;
  /** Percentage of the orders that are by new customers. */
  readonly newPercent: number;
  readonly partitions: number;
  readonly oneProcess: boolean;
  readonly seed: number;
  /** Pipelines to run, alternating. */
  readonly chains: readonly Chain['kind'][];
  readonly onProgress: (message: string) => void;
  /** Ends the run early: it throws the reason once everything that it started has stopped. */
  readonly signal?: AbortSignal | undefined;
}

export interface BenchReport {
  readonly options: Omit<BenchOptions, 'onProgress' | 'root' | 'signal'>;
  readonly runs: readonly Measured[];
  readonly profileBytes: Readonly<Record<string, number>>;
}

export const CHAIN_KINDS = ['empty', 'real'] as const;

/**
 * Until V8 and the JVM have compiled the hot code, which takes thousands of batches, an event costs two to three times
 * as much: a short warm-up would measure compilers.
 */
const WARM_EVENTS_PER_SECOND = 1000;

/**
 * Runs both pipelines alternately on one broker and one Redis of their own, which are removed afterwards. Both stay up
 * the whole time, and the idle one costs only its ticks: restarting them would measure how fast V8 and the JVM compile.
 */
export async function runChainBench(options: BenchOptions): Promise<BenchReport> {
  const { root } = toLayout({ root: options.root });
  const home = join(root, '.perennial', 'bench');
  const releases = new ReleaseStack();
  releases.push('bench stack', async () => {
    await stopPlatform({ root, home, removeData: true });
    rmSync(home, { recursive: true, force: true });
  });
  try {
    return await untilAborted(options.signal, runChains({ ...options, root, home }, releases));
  } finally {
    await releases.dispose();
  }
}

async function runChains(options: Placed, releases: ReleaseStack): Promise<BenchReport> {
  const chains: Chain[] = [];
  for (const kind of options.chains) {
    options.onProgress(`starting the ${kind} chain`);
    chains.push(
      await releases.acquire(
        `${kind} chain`,
        () => openChain(kind, options),
        (chain) => chain.stop(),
      ),
    );
  }
  const runs = await measureAll(chains, options);
  const real = chains.find(({ kind }) => kind === 'real');
  const { onProgress: _onProgress, root: _root, home: _home, signal: _signal, ...given } = options;
  return { options: given, runs, profileBytes: real === undefined ? {} : await readProfileBytes(real) };
}

type Placed = BenchOptions & { readonly root: string; readonly home: string };

function openChain(kind: Chain['kind'], options: Placed): Promise<Chain> {
  const { root, home, partitions, oneProcess } = options;
  const namespace = `bench-${kind}`;
  const policy = join(home, 'policy.yaml');
  writeBenchPolicy(join(root, 'infra/defaults/policy.yaml'), policy);
  const platform: PlatformOptions = {
    root,
    home,
    namespace,
    clockMode: 'wall',
    partitions,
    oneProcess: kind === 'real' && oneProcess,
    artifactPaths: { policy },
  };
  return startChain({ kind, platform, oneProcess, pidOf: (service) => pidOf({ root, home }, namespace, service) });
}

async function measureAll(chains: readonly Chain[], options: Placed): Promise<Measured[]> {
  const log = openLog(must(chains[0], 'chain').platform.endpoints);
  const stackPids = await readStackPids(options);
  const { batchEvents, seed, onProgress, rounds } = options;
  const newShare = options.newPercent / 100;
  const runs: Measured[] = [];
  try {
    for (const chain of chains) {
      onProgress(`warming the ${chain.kind} chain up`);
      const steady = { kind: 'steady', eventsPerSecond: WARM_EVENTS_PER_SECOND, seconds: options.warmSeconds } as const;
      const flatOut = { kind: 'flat-out', events: options.events } as const;
      for (const load of [steady, flatOut]) {
        await measure({
          chain,
          log,
          stackPids,
          batchEvents,
          newShare,
          seed,
          run: `${chain.kind}-warm-${load.kind}`,
          load,
        });
      }
    }
    for (const { load, round } of toSchedule(options)) {
      for (const chain of chains) {
        const what = load.kind === 'steady' ? `${load.eventsPerSecond}/s` : 'flat out';
        onProgress(`${chain.kind} chain, ${what}, round ${round + 1} of ${rounds}`);
        const run = `${chain.kind}-${runs.length}`;
        runs.push(await measure({ chain, log, stackPids, batchEvents, newShare, seed: seed + round, run, load }));
      }
    }
  } finally {
    await log.close();
  }
  return runs;
}

function toSchedule({
  rounds,
  events,
  rates,
  seconds,
}: BenchOptions): Array<{ load: MeasureOptions['load']; round: number }> {
  const loads: MeasureOptions['load'][] = [
    { kind: 'flat-out', events },
    ...rates.map((eventsPerSecond) => ({ kind: 'steady' as const, eventsPerSecond, seconds })),
  ];
  return loads.flatMap((load) => Array.from({ length: rounds }, (_, round) => ({ load, round })));
}

async function readStackPids(at: { root: string; home: string }): Promise<Record<string, number>> {
  const { stack } = await describePlatform(at);
  return Object.fromEntries(stack.parts.flatMap(({ part, pid }) => (pid === null ? [] : [[part, pid]])));
}

async function pidOf(at: { root: string; home: string }, namespace: string, service: ServiceName): Promise<number> {
  const { namespaces } = await describePlatform({ ...at, namespace });
  const status = must(namespaces[0], `namespace ${namespace}`).services[service];
  if (status.pid === null) throw new AppError('not_found', `${service} of ${namespace} does not run`);
  return status.pid;
}
