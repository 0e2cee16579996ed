import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createShop, writeSyntheticArchive } from '@perennial/explore';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { createProgram } from '../program.js';

const DAY_MS = 86_400_000;
const FEATURES = 'orders_count_all,orders_recency_days,events_count_all';
const printed = capturePrinted();

describe('segments cluster', () => {
  const root = mkdtempSync(join(tmpdir(), 'cluster-'));
  const archive = join(root, 'archive');
  afterAll(() => rmSync(root, { recursive: true }));
  beforeAll(async () => {
    const shop = {
      seed: 1,
      events: 2_000,
      profiles: 80,
      startMs: Date.UTC(2026, 0, 1),
      days: 60,
      late: 0,
      repeated: 0,
    };
    await writeSyntheticArchive(
      { folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS },
      createShop(shop),
    );
  });

  async function run(...typed: string[]): Promise<string> {
    const before = printed.text.length;
    await (await createProgram(typed)).parseAsync(typed, { from: 'user' });
    return printed.text.slice(before);
  }
  const cluster = (...typed: string[]) => run('segments', 'cluster', '--features', FEATURES, ...typed);

  it('reads the archive or a training export, and writes a block that segments check takes', async () => {
    const out = join(root, 'segments.yaml');
    const report = await cluster('--archive', archive, '--k', '3', '--name', 'habits');
    expect(report).toMatch(
      /^cluster +profiles +share +orders_count_all +orders_recency_days +events_count_all\nhabits_1 /,
    );
    expect(report).toMatch(/k = 3 +silhouette -?\d\.\d+ +inertia \d+\.\d+\n/);
    expect(report).toContain('clusters: # trained by k-means');
    const training = join(root, 'training');
    await run('export', '--every', '30d', '--label-horizon', '7d', '--archive', archive, '--out', training);
    await cluster('--training', training, '--name', 'habits', '--out', out);
    const text = `version: 1\nsegments: { good: { when: segments.habits_1 } }\n${readFileSync(out, 'utf8')}`;
    expect(text).toContain('seed 1');
    rmSync(out);
    writeFileSync(out, text);
    expect(await run('segments', 'check', out)).toMatch(/is valid: \d+ segments/);
    const again = await cluster('--training', training, '--k', '2', '--json');
    expect(again).toBe(await cluster('--training', training, '--k', '2', '--json'));
    expect(JSON.parse(again)).toMatchObject({
      name: 'cluster',
      chosen: { k: 2 },
      clusters: [{ name: '1' }, { name: '2' }],
    });
    await expect(cluster('--training', training, '--out', out)).rejects.toThrow('--out: cannot create');
  });

  it('reports all problems as wrong usage', async () => {
    const typed = ['segments', 'cluster', '--features', 'orders_count_al', '--k', '99', '--archive', archive];
    const error = await run(...typed).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    expect((error as Error).message.split('\n')).toEqual([
      '--features has "orders_count_al", which is no feature, did you mean orders_count_all?',
      expect.stringContaining('--k is "99"'),
    ]);
    await expect(cluster('--training', root)).rejects.toThrow('is no training export');
    await expect(cluster('--training', root, '--archive', root)).rejects.toThrow('not both');
  });
});
