import { describe, expect, it } from '@jest/globals';
import type { ActionDecided, ExperimentAssigned, ScoreComputed } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createActionArtifacts } from './artifacts.js';
import { createActionProcessor } from './processor.js';
import { createActionTelemetry } from './telemetry.js';

const NOON = Date.UTC(2025, 0, 15, 12);
const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const PSEUDONYMS = createPseudonymizer('a secret that is long enough for tests');
const POLICY = Buffer.from(`version: 1
channels: { email: {} }
strategies:
  welcome: { stages: [new], on: scored, channel: email, template: w, cooldown: 30d }
experiments:
  greeting: { strategies: [welcome], arms: { usual: {}, holdout: { strategies: [] } } }
`);

function setUp() {
  const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
  const telemetry = createActionTelemetry(createSilentLogger(), metrics);
  const store = { list: async () => [], load: async () => POLICY };
  const artifacts = createActionArtifacts(store, { specs: SPECS, telemetry });
  const deps = { namespace: 'live', artifacts, specs: SPECS, pseudonymizer: PSEUDONYMS, telemetry };
  const processor = createActionProcessor(deps);
  return async (key: string, atMs: number, state?: Parameters<typeof processor.step>[0]['state']) => {
    const inForce = new Map([['policy', { kind: 'policy', number: 3, hash: 'abc' }]]);
    const context = { key, partition: 0, offset: 17, ordinal: 0, logTimeMs: atMs, inForce };
    const item = { state, cause: { kind: 'record', input: score(key, atMs) }, context } as const;
    const [evidence] = await must(processor.prepare, 'prepare')([item]);
    return processor.step(item, must(evidence, 'evidence'));
  };
}

function score(userId: string, asOfMs: number): ScoreComputed {
  const features = {
    specHash: SPECS.initial.specHash,
    asOfMs,
    values: SPECS.initial.names.map(() => 1),
    lastEventAtMs: asOfMs,
    subject: PSEUDONYMS.seal(userId),
    timeZone: '',
    attributes: [],
    event: undefined,
  };
  const none = { modelHash: '', scores: [], transition: undefined, segments: undefined };
  return { ...none, stage: 'new', stageSinceMs: asOfMs, features };
}

type Outputs = Awaited<ReturnType<ReturnType<typeof setUp>>>['outputs'];
const read = <T>(outputs: Outputs, topic: string) =>
  outputs
    .filter((output) => output.topic === `lifecycle.${topic}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as T);

describe('an experiment of the policy', () => {
  it('writes who is in which arm, in both arms alike; the action names it', async () => {
    const step = setUp();
    const arms = new Map<string, number>();
    for (let index = 0; index < 200; index += 1) {
      const { outputs } = await step(`k${index}`, NOON);
      const [exposure, ...more] = read<ExperimentAssigned>(outputs, 'experiment.assigned');
      expect(more).toEqual([]);
      expect(exposure).toMatchObject({
        profileKey: `k${index}`,
        experiment: 'greeting',
        propensity: 0.5,
        policyVersion: 3,
      });
      const actions = read<ActionDecided>(outputs, 'action.decided');
      const expected = { experiment: 'greeting', arm: 'usual', propensity: 0.5 };
      expect(actions).toMatchObject(exposure?.arm === 'usual' ? [expected] : []);
      arms.set(exposure?.arm ?? '', (arms.get(exposure?.arm ?? '') ?? 0) + 1);
    }
    expect([...arms.keys()].sort()).toEqual(['holdout', 'usual']);
    expect(Math.min(...arms.values())).toBeGreaterThan(70);
  });

  it('writes the same record again for the same input, and none while the cooldown lasts, in a holdout too', async () => {
    const step = setUp();
    for (const key of ['k1', 'k2', 'k3', 'k4', 'k5', 'k6']) {
      const first = await step(key, NOON);
      expect((await step(key, NOON)).outputs).toEqual(first.outputs);
      const later = await step(key, NOON + 60_000, first.state);
      expect(later.outputs).toEqual([]);
    }
  });
});
