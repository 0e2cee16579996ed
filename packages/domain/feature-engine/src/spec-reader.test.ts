import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { compileFeatures } from './compile.js';
import { FeatureSpecs } from './feature-specs.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { encodeFeatureSpec } from './spec-file.js';
import { createSpecReader } from './spec-reader.js';

const FEW = ECOMMERCE_FEATURES.slice(0, 3);
const SOME = ECOMMERCE_FEATURES.slice(0, 5);

function setUp(stored: ReadonlyMap<string, Buffer>) {
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const loads: string[] = [];
  const reader = createSpecReader(specs, {
    list: async () => [...stored.keys()],
    async load(_kind, hash) {
      loads.push(hash);
      const bytes = stored.get(hash);
      if (bytes === undefined) throw new AppError('dependency_unavailable', 'away', { retriable: true });
      return bytes;
    },
  });
  return { specs, loads, reader };
}

describe('a reader of feature specs', () => {
  it('reads the spec of a rollout, and all others for the states that were made under them', async () => {
    const stored = new Map([
      ['few', encodeFeatureSpec(FEW)],
      ['broken', Buffer.from('{')],
      ['some', encodeFeatureSpec(SOME)],
    ]);
    const { specs, loads, reader } = setUp(stored);
    const spec = await reader.read(encodeFeatureSpec(SOME), 'some');
    expect(specs.inForce({ hash: 'some' })).toBe(spec);
    const other = compileFeatures(FEW);
    expect(specs.decode(other.encode(other.empty)).specHash).toBe(other.specHash);
    expect(loads).toEqual(['few', 'broken']);
  });

  it('says all that is wrong with a spec, and passes on what may yet be had', async () => {
    const { reader } = setUp(new Map());
    await expect(reader.read(Buffer.from('{"version":7}'), 'x')).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'version: must be 1, it is 7\nfeatures: must be a list of 1 to 256, it is missing',
    });
    const away = createSpecReader(new FeatureSpecs(ECOMMERCE_FEATURES), {
      list: () => Promise.reject(new AppError('dependency_unavailable', 'away', { retriable: true })),
      load: () => Promise.reject(new Error('not asked')),
    });
    await expect(away.read(encodeFeatureSpec(FEW), 'few')).rejects.toMatchObject({ retriable: true });
  });
});
