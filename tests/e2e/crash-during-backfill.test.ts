import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ServiceName, STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { createPseudonymizer } from '@perennial/privacy';
import { createSilentLogger } from '@perennial/telemetry';
import {
  backfillFile,
  type NamespaceResult,
  readNamespaceResult,
  startNamespace,
} from '../support/backfilled-namespace.js';
import { readTestEnvironment } from '../support/environment.js';
import { countNaively, createHistory, toCsv } from '../support/purchase-history.js';
import { recomputeFeatures } from '../support/recompute-features.js';
import { createRunName } from '../support/run-name.js';

/*
 * The whole platform as users run it: a history is sent through the front door while services are killed with SIGKILL
 * and restarted, one after the other. Features, stages, transitions and actions must equal those of an undisturbed run,
 * and the features must equal those of an independent count.
 */

const SEED = 20_240_101;
const ROOT = join(import.meta.dirname, '../..');
const KILLED: ServiceName[] = [...STATEFUL_SERVICE_NAMES, 'ingest'];

describe('services killed during a backfill', () => {
  const environment = readTestEnvironment();
  const rows = createHistory({ seed: SEED, users: 80, days: 45, rowsPerUserMax: 8 });
  const userIds = [...new Set(rows.map(({ userId }) => userId))].sort();
  const run = createRunName();
  const home = mkdtempSync(join(tmpdir(), 'perennial-crash-'));
  const file = join(home, 'history.csv');
  const platforms: Platform[] = [];
  let log: Log;
  let calm: NamespaceResult;
  let stormy: NamespaceResult;
  let recomputed: { atMs: number; features: ReadonlyMap<string, Record<string, number | null>> };
  const killed: ServiceName[] = [];

  beforeAll(async () => {
    writeFileSync(file, toCsv(rows));
    log = createKafkaLog({ brokers: environment.brokers, clientId: 'test', logger: createSilentLogger() });
    calm = await runUndisturbed();
    stormy = await runKilling();
  }, 400_000);

  afterAll(async () => {
    await Promise.all(platforms.map((platform) => platform.stop()));
    await log?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('every service was killed, each while there was work', () => {
    expect(killed).toEqual(KILLED);
  });

  it(`features are those of an independent count (seed ${SEED})`, () => {
    for (const { userId, asOf, features } of calm.features) {
      const expected = countNaively(rows, userId, Date.parse(asOf));
      for (const [name, value] of Object.entries(expected)) {
        const actual = features[name];
        if (value === null) expect({ userId, name, actual }).toEqual({ userId, name, actual: null });
        else
          expect({ userId, name, close: Math.abs(Number(actual) - value) < 1e-6, actual, value }).toMatchObject({
            close: true,
          });
      }
    }
  });

  it('features are those of the same log folded offline, bit for bit', () => {
    for (const { userId, asOf, features } of calm.features) {
      expect(Date.parse(asOf)).toBe(recomputed.atMs);
      expect({ userId, features }).toEqual({ userId, features: recomputed.features.get(userId) });
    }
  });

  it.each(['features', 'profiles', 'transitions', 'actions'] as const)(
    '%s are those of the undisturbed run',
    (part) => {
      expect(calm[part].length).toBeGreaterThan(0);
      expect(stormy[part]).toEqual(calm[part]);
    },
  );

  async function runUndisturbed(): Promise<NamespaceResult> {
    const platform = await start(`calm${run}`);
    const result = await backfillFile(platform, log, { file });
    expect(result).toMatchObject({ settled: true, events: { rejected: 0 } });
    const undisturbed = await readNamespaceResult(platform, log, userIds);
    await platform.stop();
    await recompute(platform, undisturbed);
    return undisturbed;
  }

  async function recompute(platform: Platform, result: NamespaceResult): Promise<void> {
    const atMs = Date.parse(must(result.features[0], 'a profile').asOf);
    const byKey = await recomputeFeatures(log, { namespace: platform.namespace, atMs });
    const secret = must(platform.environmentOf('feature-store').PERENNIAL_SECRET, 'secret');
    const pseudonymizer = createPseudonymizer(secret);
    const byUser = userIds.map((userId) => [userId, byKey.get(pseudonymizer.toProfileKey({ userId })) ?? {}] as const);
    recomputed = { atMs, features: new Map(byUser) };
  }

  /** Kills and restarts the next service after every sixth of the history. */
  async function runKilling(): Promise<NamespaceResult> {
    const platform = await start(`storm${run}`);
    let disturbing = Promise.resolve();
    let next = 0;
    const onSent = (share: number) => {
      const service = KILLED[next];
      if (service === undefined || share < (next + 1) / 6) return;
      next++;
      disturbing = disturbing.then(async () => {
        await platform.kill(service);
        killed.push(service);
        await platform.restart();
      });
    };
    const result = await backfillFile(platform, log, { file, onSent });
    await disturbing;
    expect(result).toMatchObject({ settled: true, events: { rejected: 0 } });
    return readNamespaceResult(platform, log, userIds);
  }

  async function start(namespace: string): Promise<Platform> {
    const platform = await startNamespace({ environment, root: ROOT, home, namespace });
    platforms.push(platform);
    return platform;
  }
});
