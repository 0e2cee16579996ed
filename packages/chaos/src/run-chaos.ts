import { join } from 'node:path';
import type { Log } from '@perennial/kafka';
import { AppError, createSeededRandom, must, ReleaseStack, systemClock, toMessage } from '@perennial/kernel';
import {
  ensurePlatform,
  openLog,
  type Platform,
  SERVICE_NAMES,
  type ServiceName,
  stopPlatform,
} from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { connectRedis, type Redis } from '@perennial/redis';
import { CHAIN, readLags, waitForQuiet } from '@perennial/replay';
import { createSilentLogger } from '@perennial/telemetry';
import { compareOutcomes, type Difference } from './compare.js';
import { createDraw, type Fault } from './faults/fault.js';
import { Fleet } from './fleet.js';
import { collectOutcome, type Fates, type Outcome, readFates } from './outcome.js';
import { FaultyLink } from './proxy.js';
import { waitForLedgers, wipeDerived } from './reference.js';
import { createStackControl } from './stack-control.js';
import { type Acknowledged, Workload } from './workload.js';
import type { World } from './world.js';

export interface ChaosOptions {
  readonly root?: string | undefined;
  /** Folder of this run's own stack; removed at the end. */
  readonly home?: string | undefined;
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly Fault[];
  readonly eventsPerSecond: number;
  readonly partitions: number;
  readonly instances: number;
  readonly onProgress: (message: string) => void;
}

/** One fault as it was done. */
export interface Injected {
  readonly fault: string;
  readonly row: number;
  readonly what: string;
  /** Records on their way between the services when it began. */
  readonly inFlight: number;
  /** From the end of the fault until the services had caught up; undefined when they had not within CATCH_UP_WAIT_MS_MAX. */
  readonly catchUpMs: number | undefined;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly injected: readonly Injected[];
  readonly acknowledged: number;
  readonly repeats: number;
  readonly poison: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly abandoned: number;
  /** Acknowledged, but neither accepted nor rejected. */
  readonly missing: readonly string[];
  readonly accepted: number;
  readonly rejected: number;
  readonly deadLettered: number;
  readonly actions: number;
  readonly transitions: number;
  readonly edgeRepeats: number;
  readonly ledger: { readonly actions: number; readonly transitions: number };
  readonly unaskedExits: number;
  readonly difference: Difference;
}

const NAMESPACE = 'chaos';
const WARM_UP_MS = 4_000;
const PAUSE_MS = { min: 500, max: 4_000 };
const CATCH_UP_WAIT_MS_MAX = 120_000;
const CATCH_UP_POLL_MS = 250;
/** Behind by no more than this much of a second's events counts as caught up: ticks and events keep coming. */
const CAUGHT_UP_SECONDS = 0.7;
const GRACE_MS = 30_000;

/**
 * Runs the platform under a load, hurts it in seeded order, heals it, and holds what came of it against a fault-free run
 * over the same `event.accepted`.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { root } = toLayout({ root: options.root });
  const home = options.home ?? join(root, '.perennial', 'chaos');
  const releases = new ReleaseStack();
  // What a killed run left behind.
  await stopPlatform({ root, home, removeData: true });
  releases.push('stack', () => stopPlatform({ root, home, removeData: true }));
  try {
    options.onProgress('starting Kafka, PostgreSQL and Redis');
    const platform = await ensurePlatform({
      root,
      home,
      namespace: NAMESPACE,
      clockMode: 'wall',
      partitions: options.partitions,
    });
    const writeKey = await createSource(platform);
    await platform.stop();
    const log = openLog(platform.endpoints);
    releases.push('log', () => log.close());
    const redis = await releases.acquire(
      'redis',
      () => connectRedis({ url: platform.endpoints.redisUrl, logger: createSilentLogger(), name: 'chaos' }),
      (connection) => connection.disconnect(),
    );
    const setting: Setting = { options, platform, log, redis, home, root };
    const faulty = await runWithFaults(setting, writeKey, releases);
    options.onProgress('the same log once more, without faults');
    await wipeDerived(platform, redis);
    const faultless = await runFaultless(setting);
    return toReport(options, faulty, faultless);
  } finally {
    await releases.dispose();
  }
}

interface Setting {
  readonly options: ChaosOptions;
  readonly platform: Platform;
  readonly log: Log;
  readonly redis: Redis;
  readonly home: string;
  readonly root: string;
}

interface FaultyRun {
  readonly outcome: Outcome;
  readonly fates: Fates;
  readonly acknowledged: Acknowledged;
  readonly injected: readonly Injected[];
  readonly ledger: { readonly actions: number; readonly transitions: number };
  readonly unaskedExits: number;
}

async function runWithFaults(setting: Setting, writeKey: string, releases: ReleaseStack): Promise<FaultyRun> {
  const { options, platform, log, redis, home, root } = setting;
  const links = await openLinks(platform, releases);
  const fleet = createFleet(setting, (service) => throughLinks(platform.environmentOf(service), links));
  releases.push('fleet', () => fleet.stop());
  options.onProgress(`starting ${options.instances} instances of each service`);
  for (const service of SERVICE_NAMES) for (let i = 0; i < options.instances; i++) await fleet.add(service);
  await fleet.waitUntilReady();
  const producer = await log.createProducer({ clientId: 'chaos' });
  const workload = new Workload({
    namespace: NAMESPACE,
    partitions: options.partitions,
    writeKey,
    seed: options.seed,
    eventsPerSecond: options.eventsPerSecond,
    doors: () => fleet.of('ingest').map(({ url }) => url),
    producer,
  });
  const stack = createStackControl({ root, home });
  const world: World = { fleet, stack, links, workload, redis, log, namespace: NAMESPACE };
  workload.start();
  await systemClock.wait(WARM_UP_MS);
  const injected = await hurt(world, options);
  options.onProgress('healed: waiting until all is worked off');
  await stack.revive();
  await fleet.waitUntilReady();
  await workload.stop(GRACE_MS);
  await settle(world);
  const outcome = await collectOutcome({ log, redis, namespace: NAMESPACE, partitions: options.partitions });
  const ledger = await waitForLedgers(platform, {
    actions: countIds(outcome.actions),
    transitions: countIds(outcome.transitions),
  });
  const fates = await readFates(log, NAMESPACE);
  await fleet.stop();
  return { outcome, fates, acknowledged: workload.acknowledged, injected, ledger, unaskedExits: fleet.unasked };
}

/** Both lanes of faults until the time is over; each fault is measured until the services have caught up. */
async function hurt(world: World, options: ChaosOptions): Promise<Injected[]> {
  const deadline = systemClock.now() + options.seconds * 1000;
  const injected: Injected[] = [];
  const lanes = ['services', 'infrastructure'] as const;
  await Promise.all(
    lanes.map(async (lane, index) => {
      const faults = options.faults.filter((fault) => fault.lane === lane);
      const draw = createDraw(createSeededRandom(options.seed * lanes.length + index));
      while (faults.length > 0 && systemClock.now() < deadline) {
        await systemClock.wait(draw.between(PAUSE_MS.min, PAUSE_MS.max));
        const fault = draw.pick(faults);
        options.onProgress(`fault ${fault.name}`);
        const done = await inject(world, fault, { draw, options });
        injected.push(done);
        const caughtUp = done.catchUpMs === undefined ? 'NOT caught up' : `caught up in ${done.catchUpMs} ms`;
        options.onProgress(`fault ${fault.name}: ${done.what}; ${done.inFlight} records in flight, ${caughtUp}`);
      }
    }),
  );
  return injected;
}

async function inject(
  world: World,
  fault: Fault,
  { draw, options }: { draw: ReturnType<typeof createDraw>; options: ChaosOptions },
): Promise<Injected> {
  const inFlight = (await readLagTotal(world)) ?? 0;
  const what = await fault.run(world, draw).catch((cause: unknown) => {
    throw new AppError('dependency_unavailable', `the fault ${fault.name} could not be done: ${toMessage(cause)}`, {
      cause,
    });
  });
  const healedMs = systemClock.now();
  const lagMax = options.eventsPerSecond * CAUGHT_UP_SECONDS * CHAIN.length;
  let catchUpMs: number | undefined;
  while (catchUpMs === undefined && systemClock.now() - healedMs < CATCH_UP_WAIT_MS_MAX) {
    const lag = await readLagTotal(world);
    if (lag !== undefined && lag <= lagMax) catchUpMs = systemClock.now() - healedMs;
    else await systemClock.wait(CATCH_UP_POLL_MS);
  }
  return { fault: fault.name, row: fault.row, what, inFlight, catchUpMs };
}

/** Records not yet worked off, of all readers; undefined while the broker is away. */
async function readLagTotal({ log, namespace }: World): Promise<number | undefined> {
  try {
    const { lags } = await readLags({ log, namespace });
    return Object.values(lags).reduce((sum, lag) => sum + lag, 0);
  } catch {
    // The other lane has taken the broker away: ask again.
    return undefined;
  }
}

/** Waits until what came over Kafka is through the door, ends time (the door's ticks), and waits until all is worked off. */
async function settle({ log, fleet, namespace }: World): Promise<void> {
  const door = { name: 'ingest-received', topic: 'eventReceived' } as const;
  await requireQuiet({ log, namespace, readers: [door] });
  for (const instance of [...fleet.of('ingest')]) await fleet.remove(instance);
  await requireQuiet({ log, namespace });
}

async function requireQuiet(options: Parameters<typeof waitForQuiet>[0]): Promise<void> {
  const { quiet, lags } = await waitForQuiet(options);
  if (quiet) return;
  const behind = Object.entries(lags).map(([name, lag]) => `${name} ${lag}`);
  throw new AppError('timeout', `the services did not work everything off; records behind: ${behind.join(', ')}`);
}

/** One instance of each processor, nothing between it and its stores, over the log as it is. */
async function runFaultless(setting: Setting): Promise<Outcome> {
  const { platform, log, redis, options } = setting;
  const fleet = createFleet(setting, (service) => platform.environmentOf(service));
  try {
    for (const service of ['feature-store', 'scoring', 'action'] as const) await fleet.add(service);
    await fleet.waitUntilReady();
    await requireQuiet({ log, namespace: NAMESPACE });
    return await collectOutcome({ log, redis, namespace: NAMESPACE, partitions: options.partitions });
  } finally {
    await fleet.stop();
  }
}

function createFleet(
  { root, home }: Setting,
  environmentOf: (service: ServiceName) => Readonly<Record<string, string>>,
): Fleet {
  return new Fleet({ root, logDir: join(home, 'logs', 'fleet'), marker: join(home, 'fleet'), environmentOf });
}

async function openLinks(platform: Platform, releases: ReleaseStack): Promise<World['links']> {
  const open = (name: string, url: string) => {
    const { hostname: host, port } = new URL(url);
    return releases.acquire(
      `link to ${name}`,
      () => FaultyLink.listen({ host, port: Number(port) }),
      (link) => link.close(),
    );
  };
  return {
    redis: await open('redis', platform.endpoints.redisUrl),
    postgres: await open('postgres', platform.endpoints.postgresUrl),
  };
}

function throughLinks(
  environment: Readonly<Record<string, string>>,
  links: World['links'],
): Readonly<Record<string, string>> {
  const through = (name: string, { port }: FaultyLink) => {
    const url = new URL(must(environment[name], name));
    url.port = String(port);
    return url.toString();
  };
  return {
    ...environment,
    REDIS_URL: through('REDIS_URL', links.redis),
    POSTGRES_URL: through('POSTGRES_URL', links.postgres),
  };
}

async function createSource(platform: Platform): Promise<string> {
  const answer = await platform.runCommand('ingest', ['sources', 'create', '--name', 'chaos', '--json']);
  return (JSON.parse(answer) as { writeKey: string }).writeKey;
}

function countIds(lists: ReadonlyMap<string, readonly string[]>): number {
  return [...lists.values()].reduce((sum, list) => sum + list.length, 0);
}

function toReport(options: ChaosOptions, faulty: FaultyRun, faultless: Outcome): ChaosReport {
  const { acknowledged, fates, outcome } = faulty;
  const isThere = (id: string) => fates.accepted.has(id) || fates.rejected.has(id);
  return {
    seed: options.seed,
    seconds: options.seconds,
    injected: faulty.injected,
    acknowledged: acknowledged.messageIds.size,
    repeats: acknowledged.repeats,
    poison: acknowledged.poison,
    refusals: acknowledged.refusals,
    abandoned: acknowledged.abandoned,
    missing: [...acknowledged.messageIds].filter((id) => !isThere(id)),
    accepted: fates.accepted.size,
    rejected: fates.rejectedRecords,
    deadLettered: fates.deadLettered,
    actions: countIds(outcome.actions),
    transitions: countIds(outcome.transitions),
    edgeRepeats: outcome.repeats,
    ledger: faulty.ledger,
    unaskedExits: faulty.unaskedExits,
    difference: compareOutcomes(outcome, faultless),
  };
}
