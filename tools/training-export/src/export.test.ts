import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createFolderBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { createShop, type SyntheticEvent, type SyntheticTick, writeSyntheticArchive } from '@perennial/explore';
import {
  compileFeatures,
  DAY_MS,
  ECOMMERCE_FEATURES,
  type EngineState,
  type FeatureDefinition,
} from '@perennial/feature-engine';
import { isAppError } from '@perennial/kernel';
import { parquetReadObjects } from 'hyparquet';
import { readExportRequest } from './read-request.js';
import { runExport } from './run-export.js';

const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);
const START_MS = Date.UTC(2026, 0, 1);
const SHOP = { events: 4_000, profiles: 40, startMs: START_MS, days: 100, late: 0.2, repeated: 0.1 };
const LENGTH = 5;
const HORIZON_MS = 20 * DAY_MS;

const spec = compileFeatures(ECOMMERCE_FEATURES);
const root = mkdtempSync(join(tmpdir(), 'training-export-'));
afterAll(() => rmSync(root, { recursive: true }));

type Row = Record<string, unknown> & { profile_key: string; cutoff: Date };

async function createCase(name: string, shop: Partial<Parameters<typeof createShop>[0]> = {}) {
  const entries = [...createShop({ seed: SEED, ...SHOP, ...shop })];
  const folder = join(root, name);
  await writeSyntheticArchive({ folder, namespace: 'live', partitions: 3, fileMs: DAY_MS }, entries);
  const source = {
    archive: new EventArchive(createFolderBlobStore(folder), 'live'),
    namespace: 'live',
    artifacts: { load: async () => Buffer.alloc(0), list: async () => [] },
  };
  const out = join(root, `${name}-out`);
  const texts = { labelHorizon: '20d', sequenceLength: String(LENGTH), out };
  return { entries, source, texts, out };
}

async function readRows(out: string, name: string): Promise<Row[]> {
  return (await parquetReadObjects({ file: new Uint8Array(readFileSync(join(out, name))).buffer })) as Row[];
}

const toName = ({ profile_key: key, cutoff }: Row) => `${key} ${cutoff.toISOString()}`;

/** A second computation: for each cutoff, from the first event on, what had come in by then. */
function foldUntil(entries: ReadonlyArray<SyntheticEvent | SyntheticTick>, key: string, cutoffMs: number) {
  let state: EngineState | undefined;
  let logTimeMs = 0;
  const known: SyntheticEvent[] = [];
  for (const entry of entries) {
    if ('tickMs' in entry) {
      if (entry.tickMs >= cutoffMs) break;
      logTimeMs = entry.tickMs;
      continue;
    }
    if (entry.receivedAtMs >= cutoffMs) break;
    if (entry.profileKey !== key) continue;
    const { applied, state: after } = spec.apply(
      spec.advance(state ?? spec.empty, Math.max(logTimeMs, entry.receivedAtMs)),
      { ...entry, worth: entry.amount, rate: 1 },
    );
    if (!applied) continue;
    state = after;
    known.push(entry);
  }
  return { state, known };
}

describe(`an export (seed ${SEED})`, () => {
  it('gives the vectors, labels and sequences of a fold of the same records, bit for bit', async () => {
    const { entries, source, texts, out } = await createCase('every');
    const request = readExportRequest({ ...texts, every: '25d' });
    const manifest = await runExport({ source, spec, request });
    expect(manifest.cutoffs).toEqual([26, 51, 76].map((day) => new Date(START_MS + (day - 1) * DAY_MS).toISOString()));
    const [features, labels, sequences] = (await Promise.all(
      ['features.parquet', 'labels.parquet', 'sequences.parquet'].map((name) => readRows(out, name)),
    )) as [Row[], Row[], Row[]];
    expect(features.map(toName)).toEqual(labels.map(toName));
    const events = entries.filter((entry) => !('tickMs' in entry)) as SyntheticEvent[];
    const keys = [...new Set(events.map(({ profileKey }) => profileKey))];
    const rows = new Map(features.map((row, index) => [toName(row), { row, label: labels[index] }]));
    let late = 0;
    let expected = 0;
    for (const cutoffMs of [25, 50, 75].map((day) => START_MS + day * DAY_MS)) {
      for (const key of keys) {
        const { state, known } = foldUntil(entries, key, cutoffMs);
        const name = `${key} ${new Date(cutoffMs).toISOString()}`;
        if (state === undefined) {
          expect(rows.has(name)).toBe(false);
          continue;
        }
        expected += 1;
        const found = rows.get(name);
        const { values } = spec.vector(state, cutoffMs);
        expect(spec.names.map((one) => found?.row[one] ?? null)).toEqual([...values]);

        const ids = new Set<string>();
        const later = events.filter(({ profileKey, messageId, name: event, timestampMs }) => {
          if (profileKey !== key || event !== 'Order Completed' || ids.has(messageId)) return false;
          ids.add(messageId);
          return timestampMs >= cutoffMs && timestampMs < cutoffMs + HORIZON_MS;
        });
        const revenue = Math.round(later.reduce((sum, { amount = 0 }) => sum + amount, 0) * 1e4) / 1e4;
        expect(found?.label).toMatchObject({ purchased: later.length > 0 ? 1 : 0, orders: later.length, revenue });
        late += events.filter(
          (event) => event.profileKey === key && event.timestampMs < cutoffMs && event.receivedAtMs >= cutoffMs,
        ).length;

        const last = known.sort((a, b) => a.timestampMs - b.timestampMs).slice(-LENGTH);
        const own = sequences.filter((row) => toName(row) === name);
        expect(own.map((row) => [row.position, row.event, row.gap_seconds ?? null, row.value ?? null])).toEqual(
          last.map(({ type, name: event, timestampMs, amount }, index) => [
            index,
            event || type,
            index === 0 ? null : (timestampMs - (last[index - 1]?.timestampMs ?? 0)) / 1_000,
            amount ?? null,
          ]),
        );
      }
    }
    expect(features).toHaveLength(expected);
    expect(manifest).toMatchObject({ rows: expected, withoutLabels: 0, unknownPairs: 0, joined: 0 });
    expect(Object.keys(manifest.distributions)).toEqual(spec.names);
    for (const { edges, shares } of Object.values(manifest.distributions)) {
      expect(shares).toHaveLength(edges.length + 2);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }
    // The history has what the export must not know yet.
    expect(late).toBeGreaterThan(0);
    for (const [name, { sha256, bytes }] of Object.entries(manifest.files)) {
      const written = readFileSync(join(out, name));
      expect({ sha256, bytes }).toEqual({
        sha256: createHash('sha256').update(written).digest('hex'),
        bytes: written.length,
      });
    }
    expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toEqual(manifest);
    await expect(runExport({ source, spec, request })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('gives a pair the row that regular cutoffs give, and says which have none', async () => {
    const { source, texts, out, entries } = await createCase('pairs');
    await runExport({ source, spec, request: readExportRequest({ ...texts, out: `${out}-a`, every: '25d' }) });
    const all = await readRows(`${out}-a`, 'features.parquet');
    const picked = all.filter((_, index) => index % 3 === 0);
    const path = join(root, 'pairs.csv');
    const late = `${picked[0]?.profile_key},${new Date(START_MS + 99 * DAY_MS).toISOString()}`;
    const lines = picked.map(({ profile_key: key, cutoff }) => `${key},${cutoff.toISOString()}`);
    writeFileSync(path, ['profile_key,cutoff', ...lines, 'nobody,2026-02-01', late, lines[0], ''].join('\r\n'));
    const request = readExportRequest({ ...texts, pairs: path });
    const manifest = await runExport({ source, spec, request });
    expect(manifest).toMatchObject({ rows: picked.length + 1, unknownPairs: 1, withoutLabels: 1 });
    const rows = new Map((await readRows(out, 'features.parquet')).map((row) => [toName(row), row]));
    for (const row of picked) expect(rows.get(toName(row))).toEqual(row);
    const labels = await readRows(out, 'labels.parquet');
    expect(labels.filter(({ orders }) => (orders ?? null) === null)).toHaveLength(1);
    expect(entries.length).toBeGreaterThan(SHOP.events);
  });

  it('gives the same rows in several passes over a partition', async () => {
    const { source, texts, out } = await createCase('passes');
    const request = readExportRequest({ ...texts, every: '25d' });
    const whole = await runExport({ source, spec, request });
    const folder = `${out}-b`;
    const parts = await runExport({ source, spec, request: { ...request, folder }, recordsPerPassMax: 400 });
    expect(parts.rows).toBe(whole.rows);
    for (const name of ['features.parquet', 'labels.parquet']) {
      const sorted = (rows: Row[]) => rows.sort((a, b) => (toName(a) < toName(b) ? -1 : 1));
      expect(sorted(await readRows(folder, name))).toEqual(sorted(await readRows(out, name)));
    }
    expect(parts.files['sequences.parquet'].rows).toBe(whole.files['sequences.parquet'].rows);
  });

  it('reports all problems of options and pairs at once, each with its line', () => {
    const path = join(root, 'bad.csv');
    writeFileSync(path, 'profile_key,cutoff\na,2026-01-01\n,2026-01-01\nb,2026-02-30\nc\nd,2026-01-01,more\n');
    const read = () =>
      readExportRequest({ pairs: path, from: '2026-01-01', labelHorizon: '90', sequenceLength: '-1', out: 'x' });
    try {
      read();
      throw new Error('it was accepted');
    } catch (error) {
      if (!isAppError(error, 'config_invalid')) throw error;
      const problems = error.message.split('\n');
      expect(
        problems.filter((problem) => problem.startsWith('--pairs')).map((problem) => /line \d+/.exec(problem)?.[0]),
      ).toEqual(['line 3', 'line 4', 'line 5', 'line 6']);
      expect(problems.map((problem) => problem.split(' ')[0])).toEqual(
        expect.arrayContaining(['--from', '--label-horizon', '--sequence-length']),
      );
    }
    expect(() => readExportRequest({ labelHorizon: '1d', sequenceLength: '1', out: 'x' })).toThrow(
      '--pairs must be given',
    );
  });

  it('takes labels from the orders of the spec, and rejects a spec that counts none', async () => {
    const { source, texts, out } = await createCase('own-orders');
    const request = readExportRequest({ ...texts, every: '25d' });
    const [visits] = spec.definitions;
    const none = compileFeatures([{ ...visits, name: 'visits' } as FeatureDefinition]);
    await expect(runExport({ source, spec: none, request })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('it has no feature orders_count_all'),
    });
    expect(existsSync(out)).toBe(false);
    // Of this spec, orders are refunds.
    const refunded = compileFeatures(
      spec.definitions.map((one) => ({ ...one, event: { type: 'track', name: 'Order Refunded' } })),
    );
    await runExport({ source, spec: refunded, request: { ...request, folder: `${out}-a` } });
    await runExport({ source, spec, request: { ...request, folder: `${out}-b` } });
    const sum = async (folder: string) =>
      (await readRows(folder, 'labels.parquet')).reduce((total, { orders }) => total + Number(orders), 0);
    expect(await sum(`${out}-a`)).toBeGreaterThan(0);
    expect(await sum(`${out}-a`)).toBeLessThan((await sum(`${out}-b`)) / 2);
  });

  it('says where the archive ends', async () => {
    const { source, texts } = await createCase('short', { events: 50, days: 3 });
    const run = (more: object) => runExport({ source, spec, request: readExportRequest({ ...texts, ...more }) });
    await expect(run({ every: '1d' })).rejects.toThrow('there is no cutoff: the archive reaches from 2026-01-01');
    const path = join(root, 'late.csv');
    writeFileSync(path, 'a,2027-01-01\n');
    await expect(run({ pairs: path })).rejects.toThrow(/1 cutoffs are after 2026-01-0[1-4]/);
    const other = { ...source, archive: new EventArchive(createFolderBlobStore(join(root, 'none')), 'live') };
    await expect(
      runExport({ source: other, spec, request: readExportRequest({ ...texts, every: '1d' }) }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });
});
