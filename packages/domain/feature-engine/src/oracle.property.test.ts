import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompiledFeatures, compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import { type Case, drawCase } from './oracle-cases-test-kit.js';
import { compareWithOracle, findPython } from './oracle-test-kit.js';
import type { EngineState } from './state.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const CASES = 10_000;

const python = findPython();
/** Where Python is missing the test is listed as skipped. */
const itWithPython = python === undefined ? it.skip : it;

describe('random specs and histories against an oracle in Python', () => {
  itWithPython(`agrees in ${CASES} cases from seed ${SEED}`, () => {
    const cases = fc.sample(drawCase, { seed: SEED, numRuns: CASES });
    const wrong = compareWithOracle(python ?? '', cases, (drawn) => {
      const spec = compileFeatures(drawn.definitions);
      return spec.vector(play(spec, drawn), drawn.atMs).values;
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  itWithPython(`agrees in ${CASES} cases from seed ${SEED} in which events are taken back`, () => {
    const cases = fc.sample(drawCase, { seed: SEED, numRuns: CASES }).map((drawn) => {
      const isTaken = (index: number) => drawn.sides[index % drawn.sides.length]?.isAdvanced ?? false;
      const events = drawn.events.filter((_, index) => !isTaken(index));
      return { ...drawn, all: drawn.events, events, taken: drawn.events.filter((_, index) => isTaken(index)) };
    });
    const tainted = new Map<unknown, Set<string>>();
    let [exact, total] = [0, 0];
    const wrong = compareWithOracle(python ?? '', cases, ({ all, taken, events, ...drawn }) => {
      const spec = compileFeatures(drawn.definitions);
      let state = play(spec, { ...drawn, events: all });
      const cannot = new Set<string>();
      for (const event of taken) {
        // Whoever takes it back does not know that it was an outlier.
        const { outliers: _, ...sent } = event;
        const result = spec.retract(state, sent);
        for (const name of result.cannot) cannot.add(name);
        state = result.state;
      }
      tainted.set(events, cannot);
      total += drawn.definitions.length;
      exact += drawn.definitions.length - cannot.size;
      return spec.vector(spec.decode(spec.encode(state)), drawn.atMs).values;
    }) as ReadonlyArray<{ readonly definition: FeatureDefinition; readonly events: unknown }>;
    const isExact = ({ definition, events }: (typeof wrong)[number]) => !tainted.get(events)?.has(definition.name);
    expect(wrong.filter(isExact).slice(0, 3)).toEqual([]);
    expect(exact / total).toBeGreaterThan(0.5);
  });
});

/** Two profiles that share the events, each through its bytes now and then, merged at the end. */
function play(spec: CompiledFeatures, { events, sides, atMs }: Case): EngineState {
  const states: [EngineState, EngineState] = [spec.empty, spec.empty];
  for (const [index, event] of events.entries()) {
    const { side, isAdvanced, isStored } = sides[index % sides.length] ?? { side: 0 };
    const state = spec.apply(states[side], event).state;
    const repeated = spec.apply(state, event);
    expect(repeated.applied).toBe(false);
    const later = isAdvanced ? spec.advance(state, Math.min(atMs, state.asOfMs + 3_600_000)) : state;
    states[side] = isStored ? spec.decode(spec.encode(later)) : later;
  }
  return spec.merge(states[0], states[1]);
}
