import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom, must, ReleaseStack, untilAborted } from '@perennial/kernel';
import { ensurePlatform, type Platform, stopPlatform } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { createSource } from '../chain.js';
import { Load } from '../load.js';
import { until } from '../until.js';
import { type Feast, type FeastRow, startFeast } from './feast.js';
import { timeReads } from './time-reads.js';

export interface FeaturesBenchOptions {
  readonly root?: string | undefined;
  readonly profiles: number;
  /** Orders sent, spread over the profiles. */
  readonly events: number;
  /** Profiles of one read. */
  readonly rows: readonly number[];
  /** Reads of one size in one round. */
  readonly reads: number;
  readonly rounds: number;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
  /** Ends the run early: it throws the reason once everything that it started has stopped. */
  readonly signal?: AbortSignal | undefined;
}

/** Who was asked, in the order of a round. */
export const READERS = ['perennial-http', 'feast-http', 'feast-python'] as const;

export interface FeaturesBenchReport {
  readonly options: Omit<FeaturesBenchOptions, 'onProgress' | 'root' | 'signal'>;
  readonly feastVersion: string;
  readonly features: number;
  /** Durations in ms of every read but those of the first round, which warms up. */
  readonly runs: ReadonlyArray<{
    readonly reader: (typeof READERS)[number];
    readonly rows: number;
    readonly ms: readonly number[];
  }>;
}

const NAMESPACE = 'bench-features';
const BATCH_EVENTS = 50;
/** Profiles of one POST, by the contract. */
const READ_USERS_MAX = 1_000;
const WAIT = { waitMsMax: 300_000, pollMs: 250 };

/** Reads the same features of the same profiles from Perennial and from Feast, in turn, on one Redis of its own. */
export async function runFeaturesBench(options: FeaturesBenchOptions): Promise<FeaturesBenchReport> {
  const { root, cacheDir } = toLayout({ root: options.root });
  const home = join(root, '.perennial', 'bench-features');
  const releases = new ReleaseStack();
  releases.push('bench stack', async () => {
    await stopPlatform({ root, home, removeData: true });
    rmSync(home, { recursive: true, force: true });
  });
  try {
    return await untilAborted(options.signal, measure({ ...options, root, home, cacheDir }, releases));
  } finally {
    await releases.dispose();
  }
}

type Placed = FeaturesBenchOptions & { readonly root: string; readonly home: string; readonly cacheDir: string };

async function measure(options: Placed, releases: ReleaseStack): Promise<FeaturesBenchReport> {
  const { root, home, cacheDir, onProgress, signal: _signal, ...bench } = options;
  const platform = await ensurePlatform({ root, home, namespace: NAMESPACE, clockMode: 'wall' });
  const { names, rows } = await fill(platform, options);
  const feast = await releases.acquire(
    'feast',
    () =>
      startFeast({
        cacheDir,
        folder: join(home, 'feast'),
        redisUrl: platform.endpoints.redisUrl,
        features: names,
        rows,
        onProgress,
      }),
    (running) => running.stop(),
  );
  const readers = createReaders(platform, feast);
  const random = createSeededRandom(bench.seed);
  const runs: Array<FeaturesBenchReport['runs'][number]> = [];
  for (let round = 0; round <= bench.rounds; round++) {
    for (const size of bench.rows) {
      onProgress(`reads of ${size}, ${round === 0 ? 'warming up' : `round ${round} of ${bench.rounds}`}`);
      const requests = Array.from({ length: bench.reads }, () => pick(rows, size, random));
      for (const reader of READERS) {
        const ms = await readers[reader](requests);
        if (round > 0) runs.push({ reader, rows: size, ms });
      }
    }
  }
  return { options: bench, feastVersion: feast.version, features: names.length, runs };
}

/** Sends the orders, and reads every profile once: its features are what Feast gets. */
async function fill(platform: Platform, options: Placed): Promise<{ names: string[]; rows: FeastRow[] }> {
  const { events, profiles, seed, onProgress } = options;
  onProgress(`sending ${events} orders of ${profiles} profiles`);
  const { writeKey } = await createSource(platform);
  const load = new Load({
    ingestUrl: platform.urls.ingest,
    writeKey,
    run: 'features',
    newShare: profiles / events,
    batchEvents: BATCH_EVENTS,
    seed,
  });
  const sent = new Map<string, number>();
  await load.flatOut(events, (acked) => {
    for (const { userId } of acked) sent.set(userId, (sent.get(userId) ?? 0) + 1);
  });
  load.close();
  const users = [...sent.keys()].sort();
  const names: string[] = [];
  let rows: FeastRow[] = [];
  await until(
    async () => {
      rows = [];
      for (let start = 0; start < users.length; start += READ_USERS_MAX) {
        const body = { userIds: users.slice(start, start + READ_USERS_MAX) };
        const answer = await platform.client.call('getFeaturesOfMany', { body });
        for (const { userId, features } of answer.profiles) {
          if (names.length === 0) names.push(...Object.keys(features));
          rows.push([userId, names.map((name) => features[name] ?? null)]);
        }
      }
      const count = names.indexOf('events_count_all');
      return rows.every(([userId, values]) => values[count] === sent.get(userId));
    },
    { ...WAIT, otherwise: () => 'not every order is in the features' },
  );
  return { names, rows };
}

type Reader = (requests: ReadonlyArray<readonly string[]>) => Promise<number[]>;

function createReaders(platform: Platform, feast: Feast): Record<(typeof READERS)[number], Reader> {
  const read = {
    url: platform.urls['feature-store'],
    path: '/v1/features',
    headers: { authorization: `Bearer ${platform.token}` },
    toBody: (userIds: readonly string[]) => ({ userIds }),
  };
  return {
    'perennial-http': (requests) => timeReads(read, requests),
    'feast-http': (requests) => timeReads(feast.readOverHttp, requests),
    'feast-python': (requests) => feast.readInProcess(requests),
  };
}

function pick(rows: readonly FeastRow[], size: number, random: () => number): string[] {
  return Array.from({ length: size }, () => must(rows[Math.floor(random() * rows.length)], 'a profile')[0]);
}
