import { describe, expect, it } from '@jest/globals';
import {
  compileCondition,
  declareProfileVariables,
  describeMissingHeads,
  listHeads,
  listSegments,
  type ProfileFacts,
  type ScoreVector,
  toEvidence,
  toProfileValues,
  type VariableSet,
} from './index.js';

const SCORES: ScoreVector = {
  slots: new Map([
    ['renewal', 0],
    ['churn', 1],
    ['lifetime_value', 2],
  ]),
  values: [0.25, 0.75, 120],
};
const FACTS: ProfileFacts = { features: [3, null], scores: SCORES, stage: 'new', daysInStage: 2, daysSinceEvent: 0.5 };

function test(source: string, variables: VariableSet, facts: ProfileFacts = FACTS): boolean {
  const compiled = compileCondition(source, variables);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.problem.message}`);
  return compiled.condition.test(toProfileValues(facts, variables));
}

function problemOf(source: string, variables: VariableSet) {
  const compiled = compileCondition(source, variables);
  if (compiled.ok) throw new Error(`${source} was accepted`);
  return compiled.problem;
}

describe('the variables of a profile', () => {
  it('are a head of any name, read by its name whatever its place in the vector', () => {
    const variables = declareProfileVariables(['a', 'b']);
    expect(test('scores.churn > 0.7 && scores["lifetime_value"] >= 120', variables)).toBe(true);
    expect(test('features.a == 3 && features.b == null && profile.stage == "new"', variables)).toBe(true);
    expect(listHeads(variables)).toEqual(['churn', 'lifetime_value']);
    const moved = { slots: new Map([['churn', 0]]), values: [0.9] };
    expect(test('scores.churn > 0.8', variables, { ...FACTS, scores: moved })).toBe(true);
  });

  it('have no value for a head that the model lacks, nor while there is no model', () => {
    const variables = declareProfileVariables([]);
    const facts = { ...FACTS, features: [] };
    for (const scores of [SCORES, undefined]) {
      expect(test('scores.purchase > 0 || scores.purchase <= 0', variables, { ...facts, scores })).toBe(false);
      expect(test('scores.purchase == null', variables, { ...facts, scores })).toBe(true);
    }
  });

  it('name a head in the evidence, with null for one without a value', () => {
    const variables = declareProfileVariables([]);
    test('scores.churn > scores.luck', variables, { ...FACTS, features: [] });
    const values = toProfileValues({ ...FACTS, features: [] }, variables);
    expect(toEvidence(['scores.churn', 'scores.luck'], variables, values)).toEqual({
      'scores.churn': 0.75,
      'scores.luck': null,
    });
  });

  it('are only the known heads where these are known', () => {
    const variables = declareProfileVariables(['a', 'b'], { headNames: ['renewal', 'churn'] });
    expect(test('scores.renewal < scores.churn', variables)).toBe(true);
    expect(problemOf('scores.chrun > 1', variables)).toMatchObject({
      message: 'unknown name "scores.chrun"',
      suggestion: 'scores.churn',
    });
    expect(listHeads(variables)).toEqual(['renewal', 'churn']);
  });

  it('are attributes with their kinds, between the features and the heads', () => {
    const attributes = [
      { name: 'traits.plan', kind: 'string' },
      { name: 'traits.company.seats', kind: 'number' },
      { name: 'traits.Is Paying', kind: 'boolean' },
    ] as const;
    const variables = declareProfileVariables(['a', 'b'], { attributes });
    const facts: ProfileFacts = { ...FACTS, attributes: ['pro', 12, true], segments: new Set(['a']) };
    expect(test('traits.plan == "pro" && traits.company.seats > 10', variables, facts)).toBe(true);
    expect(test('traits["Is Paying"] && scores.churn > 0.7', variables, facts)).toBe(true);
    expect(test('traits.plan == "pro" || traits.plan != "pro"', variables, { ...FACTS, attributes: [] })).toBe(false);
    expect(test('has(traits.plan)', variables)).toBe(false);
    expect(problemOf('traits.plna == "pro"', variables).suggestion).toBe('traits.plan');
    expect(problemOf('traits.plan > 3', variables).message).toBe('a string and a number cannot be compared');
    expect(problemOf('traits == "pro"', variables).message).toContain('is a group of values');
  });

  it.each([
    ['score.churn > 1', 'unknown name', 'scores.churn'],
    ['scores > 1', 'is a group of values', undefined],
    ['scores.Churn > 1', 'unknown name', undefined],
    ['scores.a.b > 1', 'unknown name', undefined],
    ['scores.__proto__ > 1', 'unknown name', undefined],
  ])('%s: %s, nearest %s', (source, message, suggestion) => {
    const problem = problemOf(source, declareProfileVariables(['a']));
    expect(problem.message).toContain(message);
    expect(problem.suggestion).toBe(suggestion);
  });
});

describe('the segments of a profile', () => {
  const facts = { ...FACTS, features: [], segments: new Set(['vip']) };

  it('are true for those that it is in, false for others, and missing while none are in force', () => {
    const variables = declareProfileVariables([], { segmentNames: 'any' });
    expect(test('segments.vip == true && segments.vip && in_segment("vip")', variables, facts)).toBe(true);
    expect(test('segments.new == false && !in_segment("new")', variables, facts)).toBe(true);
    expect(test('segments.vip == null', variables, { ...facts, segments: undefined })).toBe(true);
    expect(test('segments.vip == false || in_segment("vip")', variables, { ...facts, segments: undefined })).toBe(
      false,
    );
    expect(test('tags.vip == true && tags.new == false', variables, facts)).toBe(true);
    expect(listSegments(variables)).toEqual(['vip', 'new']);
    expect(toEvidence(['segments.vip'], variables, toProfileValues(facts, variables))).toEqual({
      'segments.vip': true,
    });
  });

  it('are no heads, though both are declared by being read', () => {
    const variables = declareProfileVariables([], { segmentNames: 'any' });
    expect(test('scores.churn > 0.7 && segments.churn', variables, facts)).toBe(false);
    expect([listHeads(variables), listSegments(variables)]).toEqual([['churn'], ['churn']]);
  });

  it.each([
    ['in_segment("vpi")', ['vip'], 'unknown name "segments.vpi"', 'segments.vip'],
    ['segments.vpi == true', ['vip'], 'unknown name "segments.vpi"', 'segments.vip'],
    ['in_segment(vip)', ['vip'], 'takes the name of a segment, in quotes', undefined],
    ['in_segments("vip")', ['vip'], 'unknown function', 'in_segment'],
    ['segments.vip', undefined, 'unknown name', undefined],
    ['segments.vip > 1', 'any', 'a boolean and a number cannot be compared', undefined],
  ] as const)('%s of %s: %s, nearest %s', (source, segmentNames, message, suggestion) => {
    const problem = problemOf(source, declareProfileVariables([], { segmentNames }));
    expect(problem.message).toContain(message);
    expect(problem.suggestion).toBe(suggestion);
  });
});

describe('heads that are missing', () => {
  it('are named, with the nearest that is there', () => {
    expect(describeMissingHeads(['churn', 'chrun', 'luck'], ['churn', 'purchase'])).toBe(
      'scores.chrun (did you mean "scores.churn"?), scores.luck',
    );
    expect(describeMissingHeads(['churn'], ['churn', 'purchase'])).toBeUndefined();
    expect(describeMissingHeads([], [])).toBeUndefined();
  });
});
