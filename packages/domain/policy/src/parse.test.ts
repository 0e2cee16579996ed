import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import { parsePolicy } from './index.js';

const FEATURES = ['events_count_7d', 'orders_recency_days', 'orders_count_all'];
const STAGES = ['prospect', 'new', 'activated', 'engaged', 'loyal', 'at_risk', 'dormant', 'churned', 'won_back'];
const DEFAULT = readFileSync(join(__dirname, '../../../../infra/defaults/policy.yaml'), 'utf8');

function problemsOf(text: string): string {
  const parsed = parsePolicy(text, { fileName: 'policy.yaml', featureNames: FEATURES, stages: STAGES });
  return parsed.ok ? '' : formatProblems(parsed.problems);
}

describe('parsePolicy', () => {
  it('accepts the default policy, which has a strategy for every stage', () => {
    expect(problemsOf(DEFAULT)).toBe('');
    const parsed = parsePolicy(DEFAULT, { fileName: 'policy.yaml', featureNames: FEATURES, stages: STAGES });
    expect(parsed.ok && [...parsed.value.byStage.keys()].sort()).toEqual([...STAGES].sort());
    expect(parsed.ok && parsed.value.contactWindowMs).toBe(7 * 86_400_000);
  });

  it.each([
    ['strategies:', 'strategys:', 'unknown key "strategys", did you mean "strategies"?'],
    ['channel: push', 'channel: psh', 'unknown channel "psh", did you mean "push"?'],
    ['stages: [won_back]', 'stages: [wonback]', 'unknown stage "wonback", did you mean "won_back"?'],
    ['on: scored', 'on: score', '"score" is not one of stage_entered, scored, did you mean "scored"?'],
    [
      'timeZone: UTC',
      'timeZone: Europe/Berln',
      '"Europe/Berln" is not a time zone such as Europe/Berlin, did you mean "Europe/Berlin"?',
    ],
    ['cooldown: 30d', 'cooldown: 30', 'a duration such as 30m, 12h or 60d'],
    ['to: "08:00"', 'to: "21:00"', 'quiet hours that end when they begin'],
    ['events_count_7d', 'event_count_7d', 'did you mean "features.events_count_7d"?'],
  ])('names the place of %s -> %s', (from, to, message) => {
    expect(DEFAULT).toContain(from);
    const before = DEFAULT.slice(0, DEFAULT.indexOf(from));
    const problems = problemsOf(DEFAULT.replace(from, to)).split('\n');
    const line = before.split('\n').length;
    expect(problems.find((problem) => problem.startsWith(`policy.yaml:${line}:`))).toContain(message);
  });

  it('reports wrong names and wrong forms at once', () => {
    const problems = problemsOf(
      DEFAULT.replace('channel: push', 'channel: psh')
        .replace('stages: [won_back]', 'stages: [wonback]')
        .replace('30d', '30'),
    );
    expect(problems.split('\n')).toHaveLength(3);
  });

  it('does not check stages that it is not given', () => {
    const text = DEFAULT.replaceAll('won_back', 'back_again');
    expect(parsePolicy(text, { fileName: 'policy.yaml', featureNames: FEATURES }).ok).toBe(true);
  });
});
