import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { compileFeatures, ECOMMERCE_FEATURES, encodeFeatureSpec } from '@perennial/feature-engine';
import { toExitCode } from '../exit-codes.js';
import { createFeaturesCommand } from './features.js';

describe('features', () => {
  const folder = mkdtempSync(join(tmpdir(), 'features-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(name: string, content: string | Buffer): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  async function run(...args: string[]): Promise<string> {
    const written: string[] = [];
    const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    try {
      await createFeaturesCommand().parseAsync(args, { from: 'user' });
    } finally {
      spy.mockRestore();
    }
    return written.join('');
  }

  it('lists each feature of the default spec with unit, window and hash', async () => {
    const listed = JSON.parse(await run('list', '--json')) as { specHash: string; features: unknown[] };
    expect(listed.specHash).toBe(compileFeatures(ECOMMERCE_FEATURES).specHash);
    expect(listed.features).toHaveLength(ECOMMERCE_FEATURES.length);
    expect(await run('list')).toMatch(
      /^orders_revenue_sum_all +currency +sum +all time +[0-9a-f]{12} +track Order Completed$/m,
    );
  });

  it('names the file and every problem of one that is no spec, as wrong configuration', async () => {
    const path = write('bad.json', '{"version":1,"features":[{"name":"A","unit":"x","aggregation":"count"}],"z":1}');
    const error: unknown = await run('check', path).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    for (const text of [path, 'z: is an unknown key', 'features[0].name']) expect(String(error)).toContain(text);
    expect(toExitCode(await run('check', join(folder, 'none')).catch((thrown: unknown) => thrown))).toBe(2);
  });

  it('counts the declared traits, and names what becomes of them', async () => {
    const yaml = (traits: string) =>
      `version: 1\ntraits: ${traits}\nfeatures: { all: { unit: events, aggregation: count } }\n`;
    const before = write('before.yaml', yaml('{ plan: text, seats: number }'));
    const after = write('after.yaml', yaml('{ plan: text, seats: text, vip: boolean }'));
    expect(await run('check', before)).toContain('before.yaml is valid: 1 features, 2 traits, spec');
    expect(JSON.parse(await run('check', before, '--json'))).toMatchObject({ features: 1, traits: 2 });
    expect(await run('diff', before, after)).toMatch(
      /^changed +traits\.seats\nadded +traits\.vip\n1 features stay as they are\n$/,
    );
    const error: unknown = await run('check', write('typo.yaml', yaml('{ plan: txt }'))).catch(
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toContain('typo.yaml:2:17: plan: must be one of text');
  });

  it('lists, checks and costs features of local time', async () => {
    const yaml = (zone: string) =>
      `version: 1\nfeatures:\n  evening: { unit: share, aggregation: hour_share, hours: [20], zone: ${zone} }\n`;
    const path = write('zones.yaml', yaml('local'));
    expect(await run('list', path)).toMatch(
      /^evening +share +hour_share +all time +[0-9a-f]{12} +every event, local time$/m,
    );
    const costs = await run('cost', path, '--events', '50', '--rounds', '1', '--json');
    expect(JSON.parse(costs)).toMatchObject({ features: [{ name: 'evening' }] });
    const error: unknown = await run('check', write('mars.yaml', yaml('Mars'))).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('mars.yaml:3:71: zone: must be "local", it is "Mars"');
  });

  it('reads the YAML that people write, and says where it is wrong', async () => {
    const yaml = 'version: 1\nfeatures:\n  events_{window}: { unit: events, aggregation: count, windows: [1h, all] }\n';
    const path = write('mine.yaml', yaml);
    expect(await run('check', path)).toContain('mine.yaml is valid: 2 features');
    expect(await run('list', path)).toMatch(
      /^events_1h +events +count +1h +[0-9a-f]{12} +every event\nevents_all +events +count +all time/,
    );
    expect(await run('diff', path, path)).toBe('2 features stay as they are\n');
    const bad = write('bad.yaml', yaml.replace('unit', 'unti').replace('1h', '1m'));
    const error: unknown = await run('check', bad).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    expect(String(error)).toContain('bad.yaml:3:22: unti: is an unknown key, did you mean "unit"?');
    expect(String(error)).toContain('bad.yaml:3:66: windows: must be from "1h" to "365d", it is "1m"');
  });

  it('knows presets by their names', async () => {
    expect(await run('check', 'saas')).toMatch(/^saas is valid: \d+ features/);
    expect(await run('list', 'ecommerce')).toMatch(
      /^coupon_orders_count_365d .* track Order Completed where properties.coupon != ""$/m,
    );
    expect(await run('list', 'saas')).toMatch(/^orders_count_7d .* track Invoice Paid \| Order Completed$/m);
    expect(await run('diff', 'default', 'ecommerce')).toMatch(/^added +orders_revenue_mean_365d$/m);
    expect(await run('diff', 'default', 'ecommerce')).toContain(
      `${ECOMMERCE_FEATURES.length} features stay as they are`,
    );
  });

  it('says what a spec changes', async () => {
    const path = write('fewer.json', encodeFeatureSpec(ECOMMERCE_FEATURES.slice(1)));
    expect(await run('check', path)).toContain(`${ECOMMERCE_FEATURES.length - 1} features`);
    const said = await run('diff', 'default', path);
    expect(said).toBe(`removed  orders_count_7d\n${ECOMMERCE_FEATURES.length - 1} features stay as they are\n`);
  });
});
