import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createShop, writeSyntheticArchive } from '@perennial/explore';
import { toExitCode } from '../exit-codes.js';
import { createProgram } from '../program.js';

const DAY_MS = 86_400_000;

describe('export', () => {
  const root = mkdtempSync(join(tmpdir(), 'export-'));
  const archive = join(root, 'archive');
  afterAll(() => rmSync(root, { recursive: true }));
  beforeAll(async () => {
    const shop = {
      seed: 1,
      events: 2_000,
      profiles: 50,
      startMs: Date.UTC(2026, 0, 1),
      days: 100,
      late: 0.02,
      repeated: 0.05,
    };
    await writeSyntheticArchive(
      { folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS },
      createShop(shop),
    );
  });

  async function run(...args: string[]): Promise<string> {
    let out = '';
    const spies = [
      jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
        out += String(text);
        return true;
      }),
      jest.spyOn(process.stderr, 'write').mockReturnValue(true),
    ];
    try {
      const typed = ['export', ...args, '--archive', archive, '--artifacts', join(root, 'artifacts')];
      await (await createProgram(typed)).parseAsync(typed, { from: 'user' });
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    return out;
  }

  it('writes the files and says what is in them', async () => {
    const out = join(root, 'every');
    const printed = await run('--every', '30d', '--label-horizon', '30d', '--out', out);
    expect(printed).toMatch(
      /^features\.parquet +\d+ rows +\d+ bytes\nlabels\.parquet .*\nsequences\.parquet .*\n\d+ profiles at 2026-01-31, 2026-03-02; \d+ features of spec [0-9a-f]{12}\n/,
    );
    for (const name of ['features', 'labels', 'sequences']) expect(existsSync(join(out, `${name}.parquet`))).toBe(true);
    expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toMatchObject({
      version: 1,
      labelHorizonDays: 30,
    });
  });

  it('takes pairs, and prints the manifest as JSON', async () => {
    const pairs = join(root, 'pairs.csv');
    writeFileSync(pairs, 'profile_key,cutoff\np00000000000000000000,2026-02-01\nnobody,2026-02-01\n');
    const printed = await run('--pairs', pairs, '--label-horizon', '7d', '--out', join(root, 'pairs'), '--json');
    expect(JSON.parse(printed)).toMatchObject({ rows: 1, unknownPairs: 1, cutoffs: 1 });
  });

  it('rejects a spec that says nothing about orders, and takes that of a preset', async () => {
    const features = join(root, 'visits.yaml');
    writeFileSync(features, 'version: 1\nfeatures: { visits: { unit: events, aggregation: count } }\n');
    const error = await run('--every', '30d', '--features', features, '--out', join(root, 'visits')).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message.split('\n')).toEqual([
      expect.stringContaining('labels are orders'),
      expect.stringContaining('no feature orders_count_all'),
      expect.stringContaining('no feature orders_revenue_sum_all'),
    ]);
    expect(existsSync(join(root, 'visits'))).toBe(false);
    const saas = fileURLToPath(new URL('../../../../infra/presets/saas/features.yaml', import.meta.url));
    const typed = ['--every', '30d', '--label-horizon', '30d', '--features', saas, '--out', join(root, 'saas')];
    expect(await run(...typed)).toContain('labels.parquet');
  });

  it('reports all problems as wrong usage', async () => {
    const error = await run('--label-horizon', 'x', '--from', 'y', '--out', join(root, 'no')).catch(
      (thrown: unknown) => thrown,
    );
    expect(toExitCode(error)).toBe(2);
    expect((error as Error).message.split('\n')).toHaveLength(3);
    expect(existsSync(join(root, 'no'))).toBe(false);
  });
});
