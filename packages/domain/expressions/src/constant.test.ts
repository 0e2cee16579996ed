import { describe, expect, it } from '@jest/globals';
import { findConstant } from './constant.js';
import { compileCondition, declareProfileVariables } from './index.js';

const variables = declareProfileVariables(['x', 'y'], { segmentNames: ['vip'], headNames: ['churn'] });

function ofText(source: string, known?: Parameters<typeof findConstant>[2]): boolean | undefined {
  const compiled = compileCondition(source, variables);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  return findConstant(compiled.condition, variables, known);
}

describe('findConstant', () => {
  it.each([
    ['features.x > 3 && features.x < 2', false],
    ['features.x > 3 && features.x < 4', undefined],
    ['features.x >= 3 || !(features.x >= 3)', true],
    ['has(features.x) && features.x == null', false],
    ['segments.vip == true && segments.vip == false', false],
    ['segments.vip', undefined],
    ['event.name == "a" && event.name == "b"', false],
    ['event.name != "a"', undefined],
    ['1 < 2', true],
    ['2 * 2 == 5', false],
    ['features.x * 2 > features.x', undefined],
    ['scores.churn > 0.5 && features.y < 1', undefined],
  ])('%s: %s', (source, result) => expect(ofText(source)).toBe(result));

  it('tries only the values that are known to be possible', () => {
    expect(ofText('profile.stage == "new"')).toBeUndefined();
    expect(ofText('profile.stage == "new"', { 'profile.stage': ['loyal', 'at_risk'] })).toBe(false);
    expect(ofText('profile.stage == "new"', { 'profile.stage': ['new'] })).toBe(true);
  });
});
