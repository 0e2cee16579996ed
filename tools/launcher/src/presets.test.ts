import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type CompiledFeatures,
  compileFeatures,
  describeMissing,
  ECOMMERCE_FEATURES,
  requireFeatureFile,
} from '@perennial/feature-engine';
import { toLayout } from '@perennial/native-stack';
import { checkArtifacts } from './check-artifacts.js';
import { listPresets, toFeaturesPath, toPresetChoices } from './presets.js';

const { root } = toLayout();
const PRESETS = ['ecommerce', 'knowledge', 'media', 'saas'];

/** Every preset has them under these names. */
const REQUIRED = [
  ...['7d', '30d', '90d', '365d', 'all'].map((window) => `orders_count_${window}`),
  ...['30d', '90d', '365d', 'all'].map((window) => `orders_revenue_sum_${window}`),
  ...['mean', 'min', 'max', 'std'].map((aggregation) => `orders_revenue_${aggregation}_365d`),
  'orders_recency_days',
  'orders_tenure_days',
  'orders_gap_mean_days',
  'orders_gap_std_days',
  'orders_trend_30d',
  'orders_last_revenue',
  'products_distinct_90d',
  'products_distinct_365d',
  'refunds_count_365d',
  'refunds_amount_sum_365d',
  ...['1h', '24h', '7d', '30d', 'all'].map((window) => `events_count_${window}`),
  'active_days_30d',
  'active_days_90d',
  'active_recency_days',
  'orders_gap_median_days',
  'orders_regularity',
  'orders_rate_30d',
  'events_rate_7d',
  'weekend_share_90d',
  'evening_share_90d',
];

function compile(name: string): CompiledFeatures {
  const { definitions, rules } = requireFeatureFile(readFileSync(toFeaturesPath(root, name)), `${name}.yaml`);
  return compileFeatures(definitions, rules);
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe('presets', () => {
  it('are those of the documentation', () => {
    expect(listPresets(root)).toEqual(PRESETS);
  });

  it.each(PRESETS)('%s has what all have', (name) => {
    expect(compile(name).names).toEqual(expect.arrayContaining(REQUIRED));
  });

  it('ecommerce may be rolled out over the default spec', () => {
    expect(describeMissing(compileFeatures(ECOMMERCE_FEATURES).features, compile('ecommerce'))).toBeUndefined();
    expect(toPresetChoices(root, 'ecommerce')).toMatchObject({ model: null });
  });

  // A namespace that has a preset takes the changed file with its next start, and a spec only grows.
  it.each([
    ['ecommerce', 46, '3d97b0c43ae7e6ab299745060caead71f709fdb79c83bfb60258866b3d4c5d2b'],
    ['knowledge', 48, 'b53e3c1a8456bda1bd82c401119765734c480afa53f2b7b6c3abde02faa6cc2b'],
    ['media', 48, '4bc85c8bff58943d6ab30f67af1ab605d185058057b3bdf1d9cfa7cf36bbc08e'],
    ['saas', 48, '3a8ceedc17ab423740197d1a6c8a6c5b4943acc45575459daf6d2b881fdc0bb4'],
  ])('%s keeps the %i features of its first release, as they are', (name, count, hash) => {
    expect(compileFeatures(compile(name).definitions.slice(0, count)).specHash).toBe(hash);
  });

  it.each(['knowledge', 'media', 'saas'])('%s comes with the default model, bound to its features', (name) => {
    const { model } = toPresetChoices(root, name);
    const folders = [join(root, 'trainer/models/default'), model ?? ''] as const;
    const [before, bound] = folders.map((folder) => readJson(join(folder, 'manifest.json'))) as [
      Record<string, unknown>,
      Record<string, unknown>,
    ];
    const { name: _, features: __, featureSpecHash, assumptions: ___, ...rest } = bound;
    // After a change of either: node scripts/make-preset-models.mjs.
    expect(featureSpecHash).toBe(compile(name).specHash);
    expect(before).toMatchObject(rest);
    const [graph, copied] = folders.map((folder) => readFileSync(join(folder, 'model.onnx')));
    expect(graph && copied?.equals(graph)).toBe(true);
  });

  // The services are loaded, with all that they need: seconds on a busy machine.
  const LOAD_TIMEOUT_MS = 240_000;

  it.each(PRESETS)(
    '%s fits the default chart and policy',
    async (name) => {
      const chosen = Object.entries(toPresetChoices(root, name)).filter(([, path]) => path !== null);
      await checkArtifacts(root, Object.fromEntries(chosen));
    },
    LOAD_TIMEOUT_MS,
  );

  it('are taken back by name, and an unknown one is named with the nearest', () => {
    expect(toPresetChoices(root, 'default')).toEqual({ features: null, model: null });
    expect(basename(toPresetChoices(root, 'saas').features ?? '')).toBe('features.yaml');
    expect(() => toPresetChoices(root, 'sas')).toThrow(
      'there is no preset "sas": ecommerce, knowledge, media, saas, did you mean "saas"?',
    );
  });
});
