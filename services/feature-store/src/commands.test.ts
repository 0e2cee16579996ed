import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, encodeFeatureSpec } from '@perennial/feature-engine';
import { readFeatureSpec } from './commands.js';

const DEFAULT = join(__dirname, '../../../infra/defaults/features.json');

describe('register features', () => {
  it('takes the canonical bytes of a file, however it is laid out', async () => {
    expect((await readFeatureSpec(DEFAULT)).equals(encodeFeatureSpec(ECOMMERCE_FEATURES))).toBe(true);
  });

  it('takes the canonical bytes of a YAML file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'features-')), 'mine.yaml');
    writeFileSync(
      path,
      'version: 1\nfeatures:\n  events_{window}: { unit: events, aggregation: count, windows: [7d] }\n',
    );
    expect((await readFeatureSpec(path)).toString()).toBe(
      '{"features":[{"aggregation":"count","name":"events_7d","unit":"events","window":"7d"}],"version":1}',
    );
    writeFileSync(path, 'version: 1\nfeature: {}\n');
    await expect(readFeatureSpec(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('mine.yaml:2:1: feature: is an unknown key, did you mean "features"?'),
    });
  });

  it('names every problem with its file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'features-')), 'mine.json');
    writeFileSync(path, '{"version": 1, "features": [{"name": "A", "unit": "x", "aggregation": "count"}], "more": 1}');
    await expect(readFeatureSpec(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message:
        'mine.json: more: is an unknown key\n' +
        'mine.json: features[0].name: must be small letters, digits and _, 64 at most, it is "A"',
    });
  });
});
