import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { DAY, inputs, NOON, policy } from './decide-test-kit.js';
import { decideActions, parsePolicy, releasePending } from './index.js';

const STRATEGIES = `
channels: { email: {}, push: {} }
strategies:
  small: { stages: [new], on: scored, channel: email, template: s, cooldown: 7d, priority: 2 }
  large: { stages: [new], on: scored, channel: email, template: l, cooldown: 7d, priority: 3 }
  other: { stages: [new], on: scored, channel: push, template: o, cooldown: 7d, priority: 1 }
`;
const POLICY = policy(`${STRATEGIES}
experiments:
  size:
    salt: size-1
    traffic: 0.8
    strategies: [small, large]
    control: usual
    arms:
      usual: { weight: 2, strategies: [small] }
      more: { strategies: [large] }
      holdout: { strategies: [] }
`);

const keys = Array.from({ length: 2_000 }, (_, index) => `p${index}`);
const decide = (profileKey: string, more: Parameters<typeof inputs>[0] = {}) =>
  decideActions(POLICY, inputs({ profileKey, ...more }));
const armOf = (profileKey: string) => decide(profileKey).exposures?.[0]?.arm;
const inArm = (arm: string | undefined) =>
  must(
    keys.find((key) => armOf(key) === arm),
    'a profile of this arm',
  );

describe('experiments', () => {
  it('give each arm its share of the traffic', () => {
    const shares = new Map<string | undefined, number>();
    for (const key of keys) shares.set(armOf(key), (shares.get(armOf(key)) ?? 0) + 1 / keys.length);
    expect(shares.get('usual')).toBeCloseTo(0.4, 1);
    expect(shares.get('more')).toBeCloseTo(0.2, 1);
    expect(shares.get('holdout')).toBeCloseTo(0.2, 1);
    expect(shares.get(undefined)).toBeCloseTo(0.2, 1);
  });

  it.each([
    ['usual', 'small', 0.5],
    ['more', 'large', 0.25],
    ['holdout', 'other', 0.25],
  ])('let the arm %s do %s', (arm, strategy, propensity) => {
    const result = decide(inArm(arm));
    const assignment = { experiment: 'size', arm, propensity };
    expect(result.decisions).toMatchObject([{ strategy }]);
    expect(result.exposures).toEqual([{ ...assignment, layer: 'default', causeId: 'score:1', atMs: NOON }]);
    expect(result.decisions[0]?.assignment).toEqual(arm === 'holdout' ? undefined : assignment);
  });

  it('leave those outside of them, and other policies, as they are', () => {
    const result = decide(inArm(undefined));
    expect(result.decisions).toMatchObject([{ strategy: 'large' }]);
    expect(result).not.toHaveProperty('exposures');
    expect(result.decisions[0]).not.toHaveProperty('assignment');
  });

  it('do not expose whom the condition or a cooldown keeps out anyway', () => {
    expect(decide(inArm('holdout'), { stage: 'loyal' })).not.toHaveProperty('exposures');
  });

  it('let a cooldown begin where an arm withholds, without a contact', () => {
    const key = inArm('holdout');
    const first = decide(key, { features: [1] });
    expect(first.history.lastUsedAtMs).toMatchObject({ small: NOON, large: NOON });
    expect(first.history.contacts).toHaveLength(1);
    const again = decide(key, { history: first.history, nowMs: NOON + DAY, causeId: 'score:2' });
    expect(again).not.toHaveProperty('exposures');
    expect(decide(key, { history: first.history, nowMs: NOON + 7 * DAY, causeId: 'score:3' }).exposures).toHaveLength(
      1,
    );
  });

  it('name the arm as the reason of a nothing', () => {
    const only = policy(`${STRATEGIES.replace(/ {2}other.*/, '')}
experiments:
  size: { strategies: [small, large], kind: learning }
`);
    const results = keys.map((profileKey) => decideActions(only, inputs({ profileKey })));
    const held = results.filter(({ status }) => status === 'suppressed');
    expect(held.length / keys.length).toBeCloseTo(0.1, 1);
    for (const { nothing, exposures } of held) {
      expect(nothing).toEqual({ step: 'arm', strategy: 'large', reason: 'experiment_arm' });
      expect(exposures).toMatchObject([{ arm: 'holdout', propensity: 0.1 }]);
    }
  });

  it('are asked again when what waited is due', () => {
    const night = policy(`quietHours: { from: "21:00", to: "08:00" }\n${STRATEGIES}
experiments:
  size: { salt: size-1, strategies: [small, large], arms: { usual: { strategies: [small] }, more: {} } }
`);
    const at = { nowMs: Date.UTC(2025, 0, 15, 23) };
    const { history, exposures } = decideActions(night, inputs(at));
    expect(exposures).toHaveLength(1);
    const released = releasePending(night, inputs({ nowMs: Date.UTC(2025, 0, 16, 8), history }));
    expect(released.decisions[0]?.assignment).toMatchObject({ experiment: 'size', arm: exposures?.[0]?.arm });
    expect(released.exposures).toMatchObject([{ causeId: exposures?.[0]?.causeId }]);
  });
});

describe('experiments of a file', () => {
  it('have all problems reported at once, each with its place', () => {
    const text = `version: 1
${STRATEGIES.trim()}
experiments:
  a: { strategies: [small], traffic: 0.7, control: c, arms: { x: {}, y: { strategies: [large] } } }
  b: { strategies: [small, large], traffic: 0.4 }
  c: { strategies: [other], layer: second, arms: { x: {} } }
`;
    const parsed = parsePolicy(text, { fileName: 'policy.yaml', featureNames: ['x'] });
    expect(parsed.ok).toBe(false);
    const problems = parsed.ok ? [] : parsed.problems.map(({ line, message }) => `${line} ${message}`);
    expect(problems).toEqual([
      '8 unknown arm "c"; there are x, y',
      '8 "large" is not among the experiment\'s strategies',
      '9 the traffic of "b" overlaps another experiment of the layer "default", or ends above 1',
      '9 "arms" are needed, unless its kind is learning',
      '9 "small" belongs to the experiment "a" already',
      '10 an experiment needs two arms or more',
    ]);
  });

  it('may decide only about strategies with a cooldown', () => {
    const capped = 'template: s, cooldown: 0s, caps: [{ max: 1, per: 1d }]';
    const always = STRATEGIES.trim().replace('template: s, cooldown: 7d', capped);
    const text = `version: 1\n${always}\nexperiments:\n  a: { strategies: [small, large], kind: learning }\n`;
    const parsed = parsePolicy(text, { fileName: 'policy.yaml', featureNames: ['x'] });
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([
      { line: 8, message: '"small" needs a cooldown, as it is in an experiment' },
    ]);
  });

  it('may name known strategies only', () => {
    const text = `version: 1\n${STRATEGIES.trim()}\nexperiments:\n  a: { strategies: [smal], kind: learning }\n`;
    const parsed = parsePolicy(text, { fileName: 'policy.yaml', featureNames: ['x'] });
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([
      { message: 'unknown strategy "smal"', suggestion: 'small' },
    ]);
  });
});
