import { describe, expect, it } from '@jest/globals';
import { policy } from './decide-test-kit.js';
import { describeArmMoves, findArmMoves } from './index.js';

const STRATEGIES = `
channels: { push: {} }
strategies:
  a: { stages: [new], on: scored, channel: push, template: t, cooldown: 1d }
  b: { stages: [new], on: scored, channel: push, template: t, cooldown: 1d }
experiments:
`;
const TRIAL = 'trial: { salt: s, strategies: [a], traffic: 0.5, arms: { usual: {}, none: { strategies: [] } } }';

function withExperiments(...experiments: readonly string[]) {
  return policy(`${STRATEGIES}${experiments.map((experiment) => `  ${experiment}\n`).join('')}`);
}

function find(before: readonly string[], after: readonly string[]) {
  return findArmMoves(withExperiments(...before), withExperiments(...after));
}

describe('findArmMoves', () => {
  it('finds that another salt moves half of two arms, and nobody in or out', () => {
    const [moves] = find([TRIAL], [TRIAL.replace('salt: s', 'salt: other')]);
    expect(moves).toMatchObject({ experiment: 'trial', out: 0, added: 0, because: ['salt'] });
    expect(moves?.toOtherArm).toBeCloseTo(0.5, 1);
  });

  it('finds that other weights move those between, to the arm that grew', () => {
    const [moves] = find([TRIAL], [TRIAL.replace('usual: {}', 'usual: { weight: 3 }')]);
    expect(moves).toMatchObject({ out: 0, added: 0, because: ['arms'] });
    expect(moves?.toOtherArm).toBeCloseTo(0.25, 1);
  });

  it('finds that more traffic moves nobody, and less takes some out', () => {
    const larger = TRIAL.replace('0.5', '0.8');
    const [more] = find([TRIAL], [larger]);
    expect(more).toMatchObject({ toOtherArm: 0, out: 0, because: ['traffic'] });
    expect(more?.added).toBeCloseTo(0.3, 1);
    const [less] = find([larger], [TRIAL]);
    expect(less).toMatchObject({ toOtherArm: 0, added: 0 });
    expect(less?.out).toBeCloseTo(0.375, 1);
  });

  it('finds that an experiment before it in the layer pushes it on, which its own keys do not show', () => {
    const first = 'first: { strategies: [b], traffic: 0.3, arms: { usual: {}, none: { strategies: [] } } }';
    const [moves] = find([TRIAL], [first, TRIAL]);
    expect(moves).toMatchObject({ experiment: 'trial', toOtherArm: 0, because: ['traffic'] });
    expect(moves?.out).toBeCloseTo(0.6, 1);
    expect(moves?.added).toBeCloseTo(0.3, 1);
  });

  it('finds nothing where only strategies of an arm, or other experiments, are others', () => {
    expect(find([TRIAL], [TRIAL.replace('usual: {}', 'usual: { strategies: [] }')])).toEqual([]);
    expect(find([TRIAL], [TRIAL.replace('trial', 'next')])).toEqual([]);
  });
});

describe('describeArmMoves', () => {
  it('says what happens, and what to do about it', () => {
    const moves = { experiment: 'trial', toOtherArm: 0.5, out: 0.25, added: 0, because: ['salt', 'traffic'] } as const;
    expect(describeArmMoves(moves)).toBe(
      'the change of salt and traffic of the experiment "trial" moves 50.0 % of its profiles to another arm, takes 25.0 % of its profiles out; the report goes on counting them in their first arm, so begin a new one',
    );
    expect(describeArmMoves({ ...moves, toOtherArm: 0, out: 0, added: 0.3 })).toMatch(
      /brings in 30.0 % of all profiles$/,
    );
    expect(describeArmMoves({ ...moves, toOtherArm: 0, out: 0 })).toMatch(/moves nobody$/);
  });
});
