import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitForQuiet } from '@perennial/backfill';
import { GROUPS, SERVICE_NAMES, type ServiceName, STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { AppError, must, ReleaseStack, systemClock, untilAborted } from '@perennial/kernel';
import { ensurePlatform, openLog, type Platform, stopPlatform, toDefaultPath } from '@perennial/launcher';
import { pickPort, startStack, toLayout } from '@perennial/native-stack';
import { connectRedis, type Redis } from '@perennial/redis';
import { type JoinFigures, type People, recountPeople } from '@perennial/simulation';
import { createSilentLogger } from '@perennial/telemetry';
import { ARCHIVE_WINDOW_SECONDS, type Audit, auditAll, waitForArchive } from './audit.js';
import { IDENTITY_RULES } from './circles.js';
import { compareResults } from './compare.js';
import { findMiscounts } from './count-once.js';
import { findCrashes } from './crashes.js';
import { findLongestDelay, readDelays } from './delays.js';
import type { Fault } from './faults/fault.js';
import { Fleet, type FleetOptions, type Releases } from './fleet.js';
import { IngestLinks } from './ingest-links.js';
import { injectFaults } from './lanes.js';
import { openKafkaLink, openLinks, throughLinks } from './links.js';
import { startLoad } from './load.js';
import type { MutantName } from './mutants.js';
import { waitUntilParted } from './partings.js';
import { findMisjoins } from './person-checks.js';
import { ReadinessWatch } from './readiness-watch.js';
import { type LedgerCounts, waitForLedgers, wipeDerived } from './reference.js';
import type { ChaosReport, Measured } from './report.js';
import { collectResult, type Fates, type RunResult, readFates } from './result.js';
import { readSeen } from './seen.js';
import { createStackControl } from './stack-control.js';
import { type Acknowledged, Workload } from './workload.js';
import type { World } from './world.js';
import { readEnds, readWritten, type Written } from './written.js';

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
  /** A rule that the services break in the run with faults, but not in the fault-free run. */
  readonly mutant?: MutantName | undefined;
  readonly onProgress: (message: string) => void;
  /** Ends the run early: it throws the reason once everything that it started has stopped. */
  readonly signal?: AbortSignal | undefined;
}

const NAMESPACE = 'chaos';
/**
 * Rate limit of all instances of ingest together for both sources, as a multiple of the usual rate; an overload exceeds
 * it.
 */
const ADMITTED_FACTOR = 3.2;
const WARM_UP_MS = 4_000;
/** Added to the shipped policy: who is in which arm is to be the same without faults. */
const EXPERIMENT = `
experiments:
  chaos:
    strategies: [invite, welcome]
    arms: { usual: { weight: 3 }, holdout: { strategies: [] } }
`;
/** Short, so that a run of a minute contains several. */
const SNAPSHOT_INTERVAL_SECONDS = '10';

/**
 * Runs the platform under load, injects faults in seeded order, heals it, and compares the result with a fault-free run
 * over the same `event.accepted`.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { root } = toLayout({ root: options.root });
  const home = options.home ?? join(root, '.perennial', 'chaos');
  const releases = new ReleaseStack();
  // Remains of a killed run.
  await stopPlatform({ root, home, removeData: true });
  releases.push('stack', () => stopPlatform({ root, home, removeData: true }));
  try {
    return await untilAborted(options.signal, runBoth(options, { root, home }, releases));
  } finally {
    await releases.dispose();
  }
}

async function runBoth(
  options: ChaosOptions,
  { root, home }: { root: string; home: string },
  releases: ReleaseStack,
): Promise<ChaosReport> {
  options.onProgress('starting Kafka, PostgreSQL and Redis');
  const kafkaLink = await openKafkaLink(releases);
  // Not the usual ports: while a fault stops a broker, another installation could take its port and be used by mistake.
  const ports = { kafka: await pickPort(), postgres: await pickPort(), redis: await pickPort() };
  const endpoints = await startStack({ root, home, ports, kafkaDetour: kafkaLink.detour });
  const { partitions } = options;
  const identity = join(home, 'identity.yaml');
  await mkdir(home, { recursive: true });
  await writeFile(identity, IDENTITY_RULES);
  const policy = join(home, 'policy.yaml');
  await writeFile(policy, `${await readFile(toDefaultPath(root, 'policy'), 'utf8')}${EXPERIMENT}`);
  const platform = await ensurePlatform({
    root,
    home,
    namespace: NAMESPACE,
    clockMode: 'wall',
    partitions,
    endpoints,
    artifactPaths: { identity, policy },
  });
  const eventsPerSecondMax = Math.ceil((options.eventsPerSecond * ADMITTED_FACTOR) / (2 * options.instances));
  const writeKeys = [
    await createSource(platform, 'chaos-1', eventsPerSecondMax),
    await createSource(platform, 'chaos-2', eventsPerSecondMax),
  ] as const;
  await platform.stop();
  const log = openLog(platform.endpoints);
  releases.push('log', () => log.close());
  const redis = await releases.acquire(
    'redis',
    () => connectRedis({ url: platform.endpoints.redisUrl, logger: createSilentLogger(), name: 'chaos' }),
    (connection) => connection.disconnect(),
  );
  const links = await openLinks(platform, kafkaLink.link, releases);
  const setting: Setting = { options, platform, log, redis, home, root };
  const faulty = await runWithFaults(setting, { writeKeys, links }, releases);
  options.onProgress('the same log once more, without faults');
  await wipeDerived(platform, redis);
  const ends = await readEnds(log, NAMESPACE);
  const faultless = await runFaultless(setting, faulty.releases, releases);
  return toReport(options, faulty, {
    result: faultless,
    written: await readWritten(log, { namespace: NAMESPACE, ends }),
  });
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
  readonly result: RunResult;
  readonly fates: Fates;
  readonly acknowledged: Acknowledged;
  readonly injected: readonly Measured[];
  readonly ledger: LedgerCounts;
  readonly miscounts: readonly string[];
  readonly misjoins: readonly string[];
  readonly joined: JoinFigures;
  readonly audit: Audit;
  readonly standstills: readonly string[];
  readonly unaskedExits: number;
  readonly crashes: readonly string[];
  readonly peakMemoryBytes: ReadonlyMap<ServiceName, number>;
  readonly mutantReached: number;
  readonly releases: Releases;
}

async function runWithFaults(
  setting: Setting,
  { writeKeys, links }: { writeKeys: readonly [string, string]; links: World['links'] },
  releases: ReleaseStack,
): Promise<FaultyRun> {
  const { options, platform, log, redis, home, root } = setting;
  const fleet = await startFleet(setting, links, releases);
  const producer = await log.createProducer({ clientId: 'chaos' });
  const ingestLinks = new IngestLinks();
  releases.push('ingest links', () => ingestLinks.close());
  const workload = new Workload({
    namespace: NAMESPACE,
    partitions: options.partitions,
    writeKeys,
    seed: options.seed,
    eventsPerSecond: options.eventsPerSecond,
    ingestUrls: () => ingestLinks.urlsOf(fleet.of('ingest').map(({ port }) => port)),
    producer,
  });
  // A fault that could not be injected ends the run: without this the clients would continue for ever.
  releases.push('workload', () => workload.stop(0));
  const stack = createStackControl({ root, home });
  const world: World = {
    platform,
    fleet,
    stack,
    links,
    ingestLinks,
    workload,
    redis,
    log,
    producer,
    partitions: options.partitions,
    namespace: NAMESPACE,
  };
  const load = startLoad(options, world, releases);
  await systemClock.wait(WARM_UP_MS);
  const watch = new ReadinessWatch({ log, fleet, namespace: NAMESPACE });
  watch.start();
  releases.push('readiness watch', async () => void (await watch.stop()));
  const faults = await injectFaults(world, options);
  options.onProgress('healed: waiting until all is processed');
  await stack.revive();
  await fleet.waitUntilReady();
  await load.stop();
  const standstills = await watch.stop();
  await settle(world);
  const judged = await judge(setting, { fleet, workload });
  const delays = await readDelays(log, NAMESPACE);
  const mutantReached = fleet.countHappened('rule-broken');
  const injected = faults.map((fault) => ({ ...fault, longestDelayMs: findLongestDelay(delays, fault) }));
  await fleet.stop();
  const { unasked: unaskedExits, peakMemoryBytes, logDir, releases: upgraded } = fleet;
  return {
    ...judged,
    injected,
    standstills,
    unaskedExits,
    crashes: findCrashes(logDir),
    peakMemoryBytes,
    mutantReached,
    releases: upgraded,
  };
}

/** Every service several times, behind the links. */
async function startFleet(setting: Setting, links: World['links'], releases: ReleaseStack): Promise<Fleet> {
  const { options, platform } = setting;
  const fleet = createFleet(setting, {
    environmentOf: (service) => ({
      ...throughLinks(platform.environmentOf(service), links),
      PERENNIAL_SNAPSHOT_INTERVAL_SECONDS: SNAPSHOT_INTERVAL_SECONDS,
      PERENNIAL_ARCHIVE_WINDOW_SECONDS: ARCHIVE_WINDOW_SECONDS,
    }),
    mutant: options.mutant,
  });
  releases.push('fleet', () => fleet.stop());
  options.onProgress(`starting ${options.instances} instances of each service`);
  for (const service of SERVICE_NAMES) for (let i = 0; i < options.instances; i++) await fleet.add(service);
  await fleet.waitUntilReady();
  return fleet;
}

/**
 * Reads the result of the load while the platform still runs: states, output topics, tables, and counts of each person's
 * events.
 */
async function judge(
  { options, platform, log, redis }: Setting,
  { fleet, workload }: Pick<World, 'fleet' | 'workload'>,
): Promise<Pick<FaultyRun, Judged>> {
  const stores = { log, redis, namespace: NAMESPACE, partitions: options.partitions };
  const result = await collectResult(stores);
  const ledger = await waitForLedgers(platform, {
    actions: countIds(result.edges.actions),
    transitions: countIds(result.edges.transitions),
    outcomes: countIds(result.edges.outcomes),
  });
  const fates = await readFates(log, NAMESPACE);
  const { acknowledged } = workload;
  const people = recountPeople(fates.entries);
  const { url } = must(fleet.of('feature-store')[0], 'a feature-store');
  const wanted = countEventsOf(fates, { people, userOf: acknowledged.userOf });
  const miscounts = await findMiscounts({ url, token: platform.token }, wanted);
  const misjoins = findMisjoins(people, await readSeen(stores));
  options.onProgress('computing all features again from the archive');
  const audit = await auditAll(fleet);
  return { result, fates, acknowledged, ledger, miscounts, misjoins, joined: people.figures, audit };
}

type Judged = 'result' | 'fates' | 'acknowledged' | 'ledger' | 'miscounts' | 'misjoins' | 'joined' | 'audit';

/** Events of each user, those of its other ids included. */
function countEventsOf(
  { entries }: Pick<Fates, 'entries'>,
  { people, userOf }: { readonly people: People; readonly userOf: ReadonlyMap<string, string> },
): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const { key, record } of entries) {
    if (record.$case !== 'event' || record.value.forwardedTo !== undefined) continue;
    const userId = userOf.get(record.value.messageId);
    if (userId !== undefined) wanted.set(userId, must(people.personOf.get(key), 'a person').messageIds.size);
  }
  return wanted;
}

/**
 * Waits until ingest has processed its Kafka sources and that is archived, removes ingest and with it the source of ticks, and waits until
 * all is processed.
 */
async function settle({ log, fleet, redis, namespace, partitions }: World): Promise<void> {
  const readers = (['ingest-received', 'ingest-outcomes'] as const).map((name) => ({
    name,
    topic: GROUPS[name].topic,
  }));
  await requireQuiet({ log, namespace, readers });
  // Ticks still come, so that the archive closes its files.
  await waitUntilParted(redis, { namespace, partitions });
  await waitForArchive(log, { namespace });
  for (const instance of [...fleet.of('ingest')]) await fleet.remove(instance);
  await requireQuiet({ log, namespace });
}

async function requireQuiet(options: Parameters<typeof waitForQuiet>[0]): Promise<void> {
  const { quiet, lags } = await waitForQuiet(options);
  if (quiet) return;
  const behind = Object.entries(lags).map(([name, lag]) => `${name} ${lag}`);
  throw new AppError('timeout', `the services did not process everything; records behind: ${behind.join(', ')}`);
}

/**
 * Runs one instance of each processor over the existing log, without links to its stores. The log has states of the releases that
 * the services have been: profiles that were handed over.
 */
async function runFaultless(setting: Setting, upgraded: Releases, releases: ReleaseStack): Promise<RunResult> {
  const { platform, log, redis, options } = setting;
  // Without snapshots: this run must compute its states independently.
  const fleet = createFleet(setting, {
    environmentOf: (service) => ({ ...platform.environmentOf(service), PERENNIAL_SNAPSHOTS: 'off' }),
    releases: upgraded,
  });
  releases.push('fault-free fleet', () => fleet.stop());
  for (const service of STATEFUL_SERVICE_NAMES) await fleet.add(service);
  await fleet.waitUntilReady();
  await requireQuiet({ log, namespace: NAMESPACE });
  return collectResult({ log, redis, namespace: NAMESPACE, partitions: options.partitions });
}

function createFleet(
  { root, home }: Setting,
  what: Pick<FleetOptions, 'environmentOf' | 'mutant' | 'releases'>,
): Fleet {
  return new Fleet({ root, logDir: join(home, 'logs', 'fleet'), marker: join(home, 'fleet'), ...what });
}

async function createSource(platform: Platform, name: string, eventsPerSecondMax: number): Promise<string> {
  const settings = ['--rate', String(eventsPerSecondMax), '--reports', '--json'];
  const answer = await platform.runCommand('ingest', ['sources', 'create', '--name', name, ...settings]);
  return (JSON.parse(answer) as { writeKey: string }).writeKey;
}

function countIds(lists: ReadonlyMap<string, readonly string[]>): number {
  return [...lists.values()].reduce((sum, list) => sum + list.length, 0);
}

/** The run without faults, and what both wrote between the processors. */
interface FaultlessRun {
  readonly result: RunResult;
  readonly written: { readonly before: Written; readonly after: Written };
}

function toReport(options: ChaosOptions, faulty: FaultyRun, faultless: FaultlessRun): ChaosReport {
  const { acknowledged, fates, result } = faulty;
  const isThere = (id: string) => fates.accepted.has(id) || fates.rejected.has(id);
  return {
    seed: options.seed,
    seconds: options.seconds,
    mutant: options.mutant,
    mutantReached: faulty.mutantReached,
    injected: faulty.injected,
    acknowledged: acknowledged.messageIds.size,
    repeats: acknowledged.repeats,
    agedRepeats: acknowledged.agedRepeats,
    twins: acknowledged.twins,
    busy: acknowledged.busy,
    poison: acknowledged.poison,
    failedAttempts: acknowledged.failedAttempts,
    abandoned: acknowledged.abandoned,
    missing: [...acknowledged.messageIds].filter((id) => !isThere(id)),
    unwanted: [...acknowledged.inVain].filter((id) => fates.accepted.has(id)),
    standstills: faulty.standstills,
    accepted: fates.accepted.size,
    rejected: fates.rejectedRecords,
    deadLettered: fates.deadLettered,
    tickAheadMs: fates.tickAheadMs,
    actions: countIds(result.edges.actions),
    transitions: countIds(result.edges.transitions),
    outcomes: countIds(result.edges.outcomes),
    cancellations: countIds(result.edges.cancellations),
    exposures: countIds(result.edges.exposures),
    edgeRepeats: result.repeats,
    ledger: faulty.ledger,
    unaskedExits: faulty.unaskedExits,
    crashes: faulty.crashes,
    peakMemoryBytes: Object.fromEntries(faulty.peakMemoryBytes),
    miscounts: faulty.miscounts,
    misjoins: faulty.misjoins,
    joined: faulty.joined,
    audit: faulty.audit,
    difference: compareResults(result, faultless.result, faultless.written),
  };
}
