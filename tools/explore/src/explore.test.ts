import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import {
  type ExploreSource,
  exploreFunnel,
  explorePaths,
  exploreRetention,
  exploreRfm,
  exploreRules,
} from './explorer.js';
import {
  createHistory,
  naiveCohorts,
  naiveFunnels,
  naivePaths,
  naiveRfm,
  naiveRules,
  PARTITIONS,
  toProfiles,
} from './naive-test-kit.js';
import { RFM_CLASSES } from './rfm.js';
import { writeSyntheticArchive } from './synthetic/archive-writer.js';

const HISTORIES = 8;
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;

// A name that DuckDB would take for a pattern, and SQL for the end of a text.
const root = mkdtempSync(join(tmpdir(), "explore [a-b]*'-"));
afterAll(() => rmSync(root, { recursive: true }));

async function createCase(seed: number) {
  const random = createSeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const history = createHistory(seed);
  const archive = join(root, String(seed));
  const source: ExploreSource = { archive, namespace: 'live', threads: 2 };
  await writeSyntheticArchive({ folder: archive, namespace: 'live', partitions: PARTITIONS, fileMs: DAY_MS }, history);
  const profiles = toProfiles(history);
  const times = profiles.flat().map(({ at }) => at);
  const range = {
    fromMs: pick([undefined, pick(times)]),
    toMs: pick([undefined, pick(times)]),
  };
  return { source, profiles, pick, range, events: times.length };
}

describe('the answers are those of loops over the events', () => {
  const seeds = Array.from({ length: HISTORIES }, (_, index) => SEED + index);

  it.each(seeds)('history %i', async (seed) => {
    const { source, profiles, pick, range, events } = await createCase(seed);

    const steps = pick([
      ['A', 'B'],
      ['A', 'B', 'C'],
      ['A', 'A'],
      ['page', 'Order Completed', 'A'],
      ['A', 'nothing'],
    ]);
    const funnel = {
      steps,
      withinMs: pick([0, 60_000, DAY_MS, 7 * DAY_MS]),
      by: pick([undefined, 'week', 'month'] as const),
      ...range,
    };
    const funnels = await exploreFunnel(source, funnel);
    expect(funnels).toMatchObject({ events, profiles: profiles.length });
    expect(funnels.unknownEvents).toEqual(steps.filter((name) => !profiles.flat().some(({ label }) => label === name)));
    expect(funnels.funnels).toEqual(naiveFunnels(profiles, funnel));

    const path = {
      start: pick([undefined, 'B']),
      length: pick([2, 3, 5]),
      gapMs: pick([60_000, DAY_MS]),
      top: 1_000,
      ...range,
    };
    const { paths } = await explorePaths(source, path);
    const naive = naivePaths(profiles, path);
    expect(paths.total).toBe(naive.total);
    expect(new Map(paths.top.map(({ events: labels, count }) => [JSON.stringify(labels), count]))).toEqual(
      naive.counts,
    );
    for (const { count, share } of paths.top) expect(share).toBe(count / naive.total);

    for (const kind of ['items', 'events'] as const) {
      const options = {
        of: kind,
        items: pick([2, 3, 4]),
        minSupport: pick([0, 0.1, 0.3]),
        minConfidence: pick([0, 0.5]),
        gapMs: DAY_MS,
        top: 10_000,
        ...range,
      };
      const { rules } = await exploreRules(source, options);
      const expected = naiveRules(profiles, options);
      expect(rules).toMatchObject({ baskets: expected.baskets, tooLarge: 0, found: expected.rules.length });
      const toName = ({ left, right }: { left: readonly string[]; right: string }) => JSON.stringify([left, right]);
      const byName = (a: Parameters<typeof toName>[0], b: Parameters<typeof toName>[0]) =>
        toName(a) < toName(b) ? -1 : 1;
      expect([...rules.top].sort(byName)).toEqual(
        expected.rules.sort(byName).map((rule) => ({ ...rule, lift: expect.closeTo(rule.lift, 10) })),
      );
    }

    const byHand = pick([{}, { recencyDays: 3, orders: 1, revenue: 0.1 }]);
    const rfm = { split: pick(['mean', 'median'] as const), ...byHand, ...range };
    const grid = await exploreRfm(source, rfm);
    const customers = naiveRfm(profiles, rfm);
    expect(grid.rfm).toMatchObject({ users: customers.users, otherAmounts: customers.otherAmounts });
    for (const [index, { r, f, m }] of RFM_CLASSES.entries()) {
      const own = customers.classes.get(`${r} ${f} ${m}`) ?? [];
      const revenue = own.reduce((sum, { units }) => sum + units, 0) / 1e4 / own.length;
      expect(grid.rfm.classes[index]?.users).toBe(own.length);
      if (own.length > 0) expect(grid.rfm.classes[index]?.revenue).toBeCloseTo(revenue, 9);
    }

    const retention = {
      start: pick(['A', undefined]),
      back: pick(['A', 'B', undefined]),
      every: pick(['week', 'month'] as const),
      periods: 4,
      ...range,
    };
    const { cohorts, all } = await exploreRetention(source, retention);
    expect(cohorts).toEqual(naiveCohorts(profiles, retention));
    const begun = cohorts.filter(({ returned }) => returned[1] != null);
    const users = begun.reduce((sum, cohort) => sum + cohort.users, 0);
    const back = begun.reduce((sum, { returned }) => sum + (returned[1] ?? 0), 0);
    expect(all.returned[1]).toBe(users === 0 ? null : back / users);
  });
});

describe('an exploration', () => {
  const rest = { steps: ['A', 'B'], withinMs: DAY_MS };

  it('counts nothing that others report of a profile', async () => {
    const archive = join(root, 'reports');
    const mondayMs = Date.UTC(2026, 0, 5);
    const onDay = (day: number, type: string, name: string) => {
      const timestampMs = mondayMs + day * DAY_MS;
      const of = { profileKey: 'p1', messageId: `m${day}`, type, name, properties: {} };
      return { ...of, timestampMs, receivedAtMs: timestampMs };
    };
    const events = [
      onDay(0, 'track', 'A'),
      onDay(1, 'consent', 'email'),
      onDay(2, 'contact', 'email'),
      onDay(8, 'outcome', 'opened'),
      { ...onDay(9, 'outcome', 'opened'), profileKey: 'p2' },
    ];
    await writeSyntheticArchive({ folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS }, events);
    const source = { archive, namespace: 'live' };
    const paths = await explorePaths(source, { start: undefined, length: 3, gapMs: DAY_MS, top: 9 });
    expect(paths).toMatchObject({ events: 1, profiles: 1, lastMs: mondayMs, paths: { total: 1 } });
    const retention = { start: undefined, back: undefined, every: 'week', periods: 2 } as const;
    const { cohorts } = await exploreRetention(source, retention);
    expect(cohorts).toMatchObject([{ users: 1, returned: [0, null, null] }]);
  });

  it('counts a message once, whichever files hold it, and leaves no temporary folder behind', async () => {
    const { source, events } = await createCase(SEED + 1_000);
    const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('perennial-explore-')).length;
    const before = temporary();
    expect((await exploreFunnel(source, rest)).events).toBe(events);
    expect(temporary()).toBeLessThanOrEqual(before);
  });

  it('says that there is no archive, or that it is damaged', async () => {
    const { source } = await createCase(SEED + 2_000);
    await expect(exploreFunnel({ ...source, namespace: 'other' }, rest)).rejects.toMatchObject({ code: 'not_found' });
    await expect(exploreFunnel({ ...source, archive: 's3://bucket/a' }, rest)).rejects.toThrow('aws s3 sync');
    const folder = join(source.archive, 'live/event.accepted/day=2026-01-01');
    await writeSyntheticArchive({ folder: source.archive, namespace: 'live', partitions: 1, fileMs: DAY_MS }, [
      { tickMs: Date.UTC(2026, 0, 1) },
    ]);
    writeFileSync(join(folder, 'p07-000000000000-000000000001.parquet'), 'no Parquet');
    await expect(exploreFunnel(source, rest)).rejects.toMatchObject({ code: 'data_damaged' });
  });
});
