import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SERVICE_NAMES, type ServiceName, STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import { AppError, must } from '@perennial/kernel';
import { ensurePlatform, type Platform, type PlatformOptions } from '@perennial/launcher';

/** One of the two pipelines that the bench compares: same front door, topics and processors; only the steps differ. */
export interface Chain {
  readonly kind: 'empty' | 'real';
  readonly platform: Platform;
  readonly writeKey: string;
  /** Process ids by service, for CPU times. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const STOP_WAIT_MS = 15_000;

export interface ChainOptions {
  readonly kind: Chain['kind'];
  readonly platform: PlatformOptions;
  /** Process of the empty steps. */
  readonly oneProcess: boolean;
  /** Process id of a running service of a namespace. */
  readonly pidOf: (service: ServiceName) => Promise<number>;
}

/** Starts a pipeline in a namespace of its own. */
export async function startChain({ kind, platform: options, oneProcess, pidOf }: ChainOptions): Promise<Chain> {
  const platform = await ensurePlatform(options);
  const { writeKey } = await createSource(platform);
  if (kind === 'real') {
    const pids = Object.fromEntries(
      await Promise.all(SERVICE_NAMES.map(async (name) => [name, await pidOf(name)] as const)),
    );
    return { kind, platform, writeKey, pids, stop: () => platform.stop() };
  }
  for (const stage of STATEFUL_SERVICE_NAMES) await platform.kill(stage);
  const children = await startEmptyStages(platform, oneProcess);
  const pids = { ingest: await pidOf('ingest'), ...children.pids };
  return {
    kind,
    platform,
    writeKey,
    pids,
    async stop() {
      await children.stop();
      await platform.stop();
    },
  };
}

/** A source without a limit of its rate. */
export async function createSource(platform: Platform): Promise<{ writeKey: string }> {
  const name = `bench-${Date.now()}`;
  const answer = await platform.runCommand('ingest', [
    'sources',
    'create',
    '--name',
    name,
    '--rate',
    'unlimited',
    '--json',
  ]);
  return JSON.parse(answer) as { writeKey: string };
}

async function startEmptyStages(platform: Platform, oneProcess: boolean) {
  const program = fileURLToPath(new URL('./empty-process.js', import.meta.url));
  const groups = oneProcess ? [[...STATEFUL_SERVICE_NAMES]] : STATEFUL_SERVICE_NAMES.map((stage) => [stage]);
  const children = await Promise.all(
    groups.map(async (stages) => {
      const environment = platform.environmentOf(must(stages[0], 'stage'));
      const child = spawn(process.execPath, [program, ...stages], {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await untilReady(child, stages.join(', '));
      return { stages, child };
    }),
  );
  return {
    pids: Object.fromEntries(children.map(({ stages, child }) => [stages.join('+'), must(child.pid, 'pid')])),
    async stop() {
      await Promise.all(children.map(({ child }) => endChild(child)));
    },
  };
}

async function untilReady(child: ChildProcess, what: string): Promise<void> {
  const died = once(child, 'exit').then(() => {
    throw new AppError('dependency_unavailable', `the empty stage ${what} did not start`);
  });
  await Promise.race([once(must(child.stdout, 'stdout'), 'data'), died]);
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
  child.kill('SIGTERM');
  await once(child, 'exit');
  clearTimeout(timer);
}
