import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import { parseLifecycle } from './index.js';
import { FEATURE_NAMES } from './lifecycle-test-kit.js';

function problemsOf(text: string): string {
  const parsed = parseLifecycle(text, { fileName: 'lifecycle.yaml', featureNames: FEATURE_NAMES });
  return parsed.ok ? '' : formatProblems(parsed.problems);
}

describe('parseLifecycle', () => {
  it('accepts the default chart, with the nine stages of the product', () => {
    const text = readFileSync(join(__dirname, '../../../../infra/defaults/lifecycle.yaml'), 'utf8');
    expect(problemsOf(text)).toBe('');
    const parsed = parseLifecycle(text, { fileName: 'lifecycle.yaml', featureNames: FEATURE_NAMES });
    expect(parsed.ok && [...parsed.value.stages.keys()].sort()).toEqual(
      ['prospect', 'new', 'activated', 'engaged', 'loyal', 'at_risk', 'dormant', 'churned', 'won_back'].sort(),
    );
  });

  it('reports misspelt stages, keys and features with the nearest right word, all at once', () => {
    expect(
      problemsOf(`version: 1
initial: prospct
stages:
  prospect:
    transitons: []
  new:
    enter: features.orders_count_al >= 1
`),
    ).toBe(
      [
        'lifecycle.yaml:2:10: unknown stage "prospct", did you mean "prospect"?',
        'lifecycle.yaml:5:5: unknown key "transitons", did you mean "transitions"?',
        'lifecycle.yaml:7:12: unknown name "features.orders_count_al", did you mean "features.orders_count_all"?',
      ].join('\n'),
    );
    expect(
      problemsOf(`version: 1
initial: prospct
stages:
  prospect:
    transitions:
      - to: neww
      - to: prospect
        absence: 1d
      - to: new
        back: true
      - to: new
  new: {}
`),
    ).toBe(
      [
        'lifecycle.yaml:2:10: unknown stage "prospct", did you mean "prospect"?',
        'lifecycle.yaml:6:13: unknown stage "neww", did you mean "new"?',
      ].join('\n'),
    );
    expect(
      problemsOf(`version: 1
initial: prospect
stages:
  prospect:
    transitions:
      - to: prospect
        absence: 1d
      - to: new
        back: true
      - to: new
  new: {}
`),
    ).toBe(
      [
        'lifecycle.yaml:6:13: a transition leads to another stage',
        'lifecycle.yaml:8:9: "back" waits for the end of "stay", and the stage "prospect" has none',
        'lifecycle.yaml:8:9: a transition needs "when", "absence", or an "enter" condition of "new"',
        'lifecycle.yaml:10:9: a transition needs "when", "absence", or an "enter" condition of "new"',
      ].join('\n'),
    );
  });
});
