import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createShop, writeSyntheticArchive } from '@perennial/explore';
import { toExitCode } from '../exit-codes.js';
import { createProgram } from '../program.js';

const DAY_MS = 86_400_000;

describe('explore', () => {
  const archive = mkdtempSync(join(tmpdir(), 'explore-'));
  afterAll(() => rmSync(archive, { recursive: true }));
  beforeAll(async () => {
    const shop = {
      seed: 1,
      events: 3_000,
      profiles: 50,
      startMs: Date.UTC(2026, 0, 1),
      days: 60,
      late: 0.02,
      repeated: 0.05,
    };
    await writeSyntheticArchive(
      { folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS },
      createShop(shop),
    );
  });

  async function run(...args: string[]): Promise<{ out: string; notices: string }> {
    const written = { stdout: '', stderr: '' };
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      jest.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      }),
    );
    try {
      const typed = ['explore', ...args, '--archive', archive];
      await (await createProgram(typed)).parseAsync(typed, { from: 'user' });
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    return { out: written.stdout, notices: written.stderr };
  }

  it('prints a funnel, a table for each month, and a name that no event has', async () => {
    const steps = ['--steps', 'Product Viewed', 'Product Added', 'Ordered'];
    const { out, notices } = await run('funnel', ...steps, '--within', '7d', '--by', 'month');
    expect(out).toMatch(
      /began in the period from 2026-01-01\nusers +of first +of previous +median time +step\n\d+ +100.0 %/,
    );
    expect(out).toContain('began in the period from 2026-02-01');
    expect(out).toMatch(/of \d+ events of \d+ profiles in \d+ files, 20\d\d/);
    expect(notices).toBe('no event of the archive is named "Ordered"\n');
  });

  it('prints paths, rules and retention', async () => {
    const paths = await run('paths', '--start', 'Product Viewed', '--length', '3', '--top', '2', '--gap', '12h');
    expect(paths.out).toMatch(
      /^sessions +share +path\n\d+ +[\d.]+ % +Product Viewed( > .+)?\n.*\n\d+ sessions, \d+ different paths\n/,
    );
    const rules = await run('rules', '--min-support', '0.001', '--min-confidence', '0.01', '--top', '1');
    expect(rules.out).toMatch(
      /^baskets +support +confidence +lift +those with +have too\n\d+ .* sku-\d+ +sku-\d+\n\d+ rules in \d+ baskets\n/,
    );
    const names = ['--start', 'Order Completed', '--return', 'page'];
    const retention = await run('retention', ...names, '--every', 'month', '--periods', '3');
    expect(retention.out).toMatch(
      /^from +users +\+0 +\+1 +\+2 +\+3\n2026-01-01 +\d+ +[\d.]+ % +[\d.]+ % +[\d.]+ % +-\n/,
    );
  });

  it('prints cohorts of acquisition by week and month, with all of them together', async () => {
    const { out } = await run('cohorts', '--by', 'month', '--periods', '2');
    expect(out).toMatch(
      /^from +users +\+0 +\+1 +\+2\n20\d\d-\d\d-01 +\d+ +[\d.]+ % +[\d.]+ % .*\n(.*\n)*all +50 +[\d.]+ % +[\d.]+ %/,
    );
    const weeks = JSON.parse((await run('cohorts', '--return', 'Order Completed', '--json')).out);
    expect(weeks).toMatchObject({ all: { users: 50 }, cohorts: expect.any(Array) });
    const { out: none, notices } = await run('cohorts', '--first', 'Ordered');
    expect(none).toContain('nobody began in that time');
    expect(notices).toContain('no event of the archive is named "Ordered"');
    const error = await run('cohorts', '--by', 'day', '--periods', '0', '--to', 'x').catch((thrown: unknown) => thrown);
    expect((error as Error).message.split('\n').map((problem) => problem.split(' ')[0])).toEqual([
      '--by',
      '--periods',
      '--to',
    ]);
  });

  it('prints the eight classes of customers', async () => {
    const { out } = await run('rfm', '--split', 'median', '--orders', '2');
    expect(out).toMatch(/^users +share +days since +orders +revenue +class\n\d+ .* important value\n/);
    expect(out).toContain('general win back\nrecent: less than ');
    expect(out).toContain('frequent: more than 2.00 orders');
    const error = await run('rfm', '--split', 'x', '--orders', '-1', '--revenue', '1e3').catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message.split('\n')).toHaveLength(3);
  });

  it('prints all figures as JSON', async () => {
    const { out } = await run('paths', '--json', '--from', '2026-01-10', '--to', '2026-01-20');
    const found = JSON.parse(out) as { events: number; paths: { total: number; top: unknown[] } };
    expect(found).toMatchObject({ missingRecords: 0, unknownEvents: [], events: expect.any(Number) });
    expect(found.paths.top).toHaveLength(20);
    const of = await run('rules', '--of', 'events', '--items', '3', '--json', '--gap', '1d', '--top', '1000');
    const { rules } = JSON.parse(of.out) as { rules: { top: Array<{ left: string[] }> } };
    expect(new Set(rules.top.map(({ left }) => left.length))).toEqual(new Set([1, 2]));
  });

  it('reports all problems of a command line as wrong usage', async () => {
    const bad = run(
      'rules',
      '--of',
      'users',
      '--items',
      '5',
      '--min-support',
      '2',
      '--top',
      'all',
      '--gap',
      '5',
      '--from',
      'now',
    );
    const error = await bad.catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    expect((error as Error).message.split('\n').map((problem) => problem.split(' ')[0])).toEqual([
      '--of',
      '--items',
      '--min-support',
      '--gap',
      '--top',
      '--from',
    ]);
    const missing = await run('funnel').catch((thrown: unknown) => thrown);
    expect(toExitCode(missing)).toBe(2);
  });

  it('says which namespace has no archive', async () => {
    await expect(run('paths', '--namespace', 'other')).rejects.toThrow('no archived events of namespace other');
  });
});
