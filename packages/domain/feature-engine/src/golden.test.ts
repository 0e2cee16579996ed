import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import { GOLDEN_LATER_MS, GOLDEN_SEEDS, toGoldenHistory } from './golden-histories-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';

type Row = readonly [validUntilMs: number | null, ...values: Array<number | null>];

/** Written by the engine from before specs were data: `golden-vectors.json` must never be regenerated. */
const golden = JSON.parse(readFileSync(join(__dirname, 'golden-vectors.json'), 'utf8')) as ReadonlyArray<{
  seed: number;
  alone: readonly Row[];
  merged: readonly Row[];
}>;

const features = compileFeatures(ECOMMERCE_FEATURES);

describe('the e-commerce preset', () => {
  it('gives the bits that it gave before it was data', () => {
    const states = GOLDEN_SEEDS.map(fold);
    expect(golden.map(({ seed }) => seed)).toEqual(GOLDEN_SEEDS);
    for (const [index, { seed, alone, merged }] of golden.entries()) {
      const state = states[index] as EngineState;
      const joined = features.merge(state, states[(index + 1) % states.length] as EngineState);
      expect({ seed, rows: toRows(state) }).toEqual({ seed, rows: alone });
      expect({ seed, rows: toRows(joined) }).toEqual({ seed, rows: merged });
      expect({ seed, rows: toRows(features.decode(features.encode(state))) }).toEqual({ seed, rows: alone });
    }
  });
});

function fold(seed: number): EngineState {
  let state = features.empty;
  for (const { advanceToMs, event } of toGoldenHistory(seed)) {
    if (advanceToMs !== undefined) state = features.advance(state, advanceToMs);
    state = features.apply(state, event).state;
  }
  return state;
}

function toRows(state: EngineState): Row[] {
  return GOLDEN_LATER_MS.map((laterMs) => {
    const { values, validUntilMs } = features.vector(state, state.asOfMs + laterMs);
    return [validUntilMs ?? null, ...values];
  });
}
