import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, must, ReleaseStack } from '@perennial/kernel';
import { describePlatform, openLog, type PlatformOptions, type ServiceName, stopPlatform } from '@perennial/launcher';
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
  readonly seconds: number;
  /** How often each chain runs each load, in turn. */
  readonly rounds: number;
  /** Events of one HTTP request. */
  readonly batchEvents: number;
  /** Profiles that a flat-out run's events are spread over. */
  readonly users: number;
  readonly partitions: number;
  readonly oneProcess: boolean;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
}

export interface BenchReport {
  readonly options: Omit<BenchOptions, 'onProgress' | 'root'>;
  readonly runs: readonly Measured[];
  readonly profileBytes: Readonly<Record<string, number>>;
}

const KINDS = ['empty', 'real'] as const;

/** Runs both chains in turn on one broker and one Redis of their own, which are removed again afterwards. */
export async function runChainBench(options: BenchOptions): Promise<BenchReport> {
  const { onProgress } = options;
  const { root } = toLayout({ root: options.root });
  const home = join(root, '.perennial', 'bench');
  const policy = join(home, 'policy.yaml');
  const releases = new ReleaseStack();
  releases.push('bench stack', async () => {
    await stopPlatform({ root, home, removeData: true });
    rmSync(home, { recursive: true, force: true });
  });
  try {
    writeBenchPolicy(join(root, 'infra/defaults/policy.yaml'), policy);
    const runs: Measured[] = [];
    let profileBytes: Record<string, number> = {};
    for (const { load, round } of toSchedule(options)) {
      for (const kind of KINDS) {
        onProgress(
          `${kind} chain, ${load.kind === 'steady' ? `${load.eventsPerSecond}/s` : 'flat out'}, round ${round + 1} of ${options.rounds}`,
        );
        const platform: PlatformOptions = {
          root,
          home,
          namespace: `bench-${kind}`,
          clockMode: 'wall',
          partitions: options.partitions,
          oneProcess: kind === 'real' && options.oneProcess,
          configPaths: { policy },
        };
        const chain = await startChain({
          kind,
          platform,
          oneProcess: options.oneProcess,
          pidOf: (service) => pidOf({ root, home }, `bench-${kind}`, service),
        });
        try {
          runs.push(await measureChain(chain, { ...options, load, run: `${kind}${runs.length}`, home, root }));
          if (kind === 'real') profileBytes = await readProfileBytes(chain);
        } finally {
          await chain.stop();
        }
      }
    }
    const { onProgress: _onProgress, root: _root, ...told } = options;
    return { options: told, runs, profileBytes };
  } finally {
    await releases.dispose();
  }
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

async function measureChain(
  chain: Chain,
  options: Pick<BenchOptions, 'seed' | 'users' | 'batchEvents'> & {
    load: MeasureOptions['load'];
    run: string;
    root: string;
    home: string;
  },
): Promise<Measured> {
  const log = openLog(chain.platform.endpoints);
  const common = { chain, log, batchEvents: options.batchEvents, seed: options.seed, users: options.users };
  try {
    // Warm: code compiled, connections open, groups joined. Not counted.
    await measure({
      ...common,
      stackPids: {},
      run: `${options.run}-warm`,
      load: { kind: 'flat-out', events: WARM_EVENTS },
    });
    const stackPids = await readStackPids(options);
    return await measure({ ...common, stackPids, run: options.run, load: options.load });
  } finally {
    await log.close();
  }
}

const WARM_EVENTS = 3000;

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
