import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { type Observed, type ReportQuestion, reportExperiment } from './report.js';

const QUESTION: ReportQuestion = {
  arms: ['usual', 'offer', 'holdout'].map((name) => ({ name, propensity: 1 / 3 })),
  control: 'usual',
  alpha: 0.05,
  plannedPersons: 8_000,
  toleratedHarm: 0.02,
  others: [{ experiment: 'tone', control: 'plain', arm: 'warm' }],
};

/** The offer doubles conversion, but only with the warm tone; a holdout complains less and converts less. */
function draw(seed: number, count = 12_000): readonly Observed[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, (_, index): Observed => {
    const arm = ['usual', 'offer', 'holdout'][Math.floor(random() * 3)] ?? 'usual';
    const tone = random() < 0.5 ? 'plain' : 'warm';
    const taste = random();
    const rate = arm === 'holdout' ? 0.1 : arm === 'offer' && tone === 'warm' ? 0.5 : 0.2;
    const converted = random() < rate;
    return {
      arm,
      isWindowOver: index < count - 500,
      converted,
      revenue: converted ? 50 * taste : 0,
      revenueBefore: random() < 0.5 ? 50 * taste : 0,
      unsubscribed: random() < (arm === 'offer' ? 0.08 : 0.01),
      complained: false,
      returned: [random() < 0.4, undefined, undefined],
      others: new Map([['tone', tone]]),
    };
  });
}

describe('reportExperiment', () => {
  const report = reportExperiment(draw(21), QUESTION);
  const metric = (name: string) => report.metrics.find((one) => one.name === name)?.arms ?? [];
  const effect = (name: string, arm: string) => metric(name).find((one) => one.arm === arm)?.effect;

  it('finds the effects that are there, against the control', () => {
    expect(effect('conversion', 'offer')).toMatchObject({ method: 'asymptotic', isSignificant: true });
    expect(effect('conversion', 'offer')?.low).toBeGreaterThan(0.05);
    expect(effect('conversion', 'holdout')?.high).toBeLessThan(0);
    expect(effect('conversion', 'usual')).toBeUndefined();
    expect(effect('revenue', 'offer')?.isSignificant).toBe(true);
    expect(effect('revenue by CUPED', 'offer')?.isSignificant).toBe(true);
    expect(report.cuped.unbalanced).toEqual([]);
    expect(report.ratio.isMismatch).toBe(false);
  });

  it('finds none where there is none, and says what is not known yet', () => {
    expect(effect('returned after 30 days', 'offer')?.isSignificant).toBe(false);
    expect(metric('returned after 60 days').map(({ persons }) => persons)).toEqual([0, 0, 0]);
    expect(metric('conversion').reduce((sum, { persons }) => sum + persons, 0)).toBe(11_500);
    expect(report.persons).toBe(12_000);
  });

  it('judges guardrails, and names the interaction', () => {
    expect(metric('unsubscribed').map(({ guardrail }) => guardrail)).toEqual([undefined, 'breached', 'safe']);
    expect(
      report.interactions.map(({ arm, experiment, otherArm, effect: { isSignificant } }) => ({
        arm,
        experiment,
        otherArm,
        isSignificant,
      })),
    ).toEqual([
      { arm: 'offer', experiment: 'tone', otherArm: 'warm', isSignificant: true },
      { arm: 'holdout', experiment: 'tone', otherArm: 'warm', isSignificant: false },
    ]);
  });

  it('alarms where arms have other sizes than they should', () => {
    const lost = draw(22).filter(({ arm }, index) => arm !== 'offer' || index % 5 !== 0);
    expect(reportExperiment(lost, QUESTION).ratio.isMismatch).toBe(true);
  });

  it('alarms where nobody is in an arm, which then is in no table', () => {
    const arms = QUESTION.arms.slice(0, 2);
    const lost = draw(22).filter(({ arm }) => arm !== 'holdout');
    const { ratio } = reportExperiment(lost, { ...QUESTION, arms });
    expect(ratio).toMatchObject({ isMismatch: true, counts: [expect.any(Number), expect.any(Number), 0] });
    const halves = arms.map(({ name }) => ({ name, propensity: 1 / 2 }));
    expect(reportExperiment(lost, { ...QUESTION, arms: halves }).ratio.isMismatch).toBe(false);
  });

  it('says that weights were changed, where probabilities are more than one', () => {
    const arms = QUESTION.arms.map((arm, index) => (index === 0 ? { ...arm, propensity: 0.5 } : arm));
    expect(reportExperiment([], { ...QUESTION, arms }).hasChangedWeights).toBe(true);
    expect(report.hasChangedWeights).toBe(false);
  });

  it('cannot tell whether few persons had spent alike before', () => {
    expect(report.cuped.tooFew).toEqual([]);
    expect(reportExperiment(draw(23, 60), QUESTION).cuped.tooFew).toEqual(['offer', 'holdout']);
  });

  it('has a report of nobody', () => {
    const none = reportExperiment([], QUESTION);
    expect(none).toMatchObject({ persons: 0, winsorLimit: Number.POSITIVE_INFINITY });
    expect(none.metrics[1]?.arms[1]?.effect?.method).toBe('too_few');
  });
});
