import { describe, expect, it } from '@jest/globals';
import { toNormalQuantile } from './normal.js';
import { type PowerQuestion, planPersons, toBoundaries, toCrossing } from './power.js';

const QUESTION: PowerQuestion = { baseline: 0.05, mde: 0.01, arms: 2, power: 0.8, alpha: 0.05, looks: 30 };

describe('toCrossing', () => {
  it.each([
    // Armitage, McPherson & Rowe (1969), table 2: repeated tests at 5 %.
    [1, 0.05],
    [2, 0.083],
    [5, 0.142],
    [10, 0.193],
    [20, 0.248],
  ])('a z test at %d looks is significant without any difference in %d of the runs', (looks, probability) => {
    const boundary = toNormalQuantile(0.975);
    expect(toCrossing(Array(looks).fill(boundary), 0).probability).toBeCloseTo(probability, 2);
  });

  it('keeps a sequence below its alpha', () => {
    expect(toCrossing(toBoundaries(60, 0.05), 0).probability).toBeLessThan(0.05);
  });
});

describe('planPersons', () => {
  it('needs more than a plain test at one look, and fewer on average than planned', () => {
    const plan = planPersons(QUESTION);
    // 8,155 is the textbook's number for two shares of 5 % and 6 %.
    expect(plan.fixedPersonsPerArm).toBe(8_155);
    expect(plan.personsPerArm).toBeGreaterThan(8_155);
    expect(plan.personsPerArm).toBeLessThan(2 * 8_155);
    expect(plan.persons).toBe(2 * plan.personsPerArm);
    expect(plan.expectedShare).toBeLessThan(0.8);
  });

  it('divides alpha among the arms, and reads means', () => {
    const plan = planPersons({ ...QUESTION, arms: 3 });
    expect(plan.comparisonAlpha).toBe(0.025);
    expect(plan.personsPerArm).toBeGreaterThan(planPersons(QUESTION).personsPerArm);
    const means = (deviation: number) => planPersons({ ...QUESTION, mde: 1, deviation }).personsPerArm;
    expect(means(20) / means(10)).toBeCloseTo(4, 1);
  });
});
