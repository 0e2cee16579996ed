import { describe, expect, it } from '@jest/globals';
import { type Control, encodeControl, toControl } from './control.js';
import { AcceptedRecord } from './generated/perennial/v1/event.js';
import { FeatureRecord } from './generated/perennial/v1/feature.js';
import { ScoreRecord } from './generated/perennial/v1/score.js';

const CONTROLS: readonly Control[] = [
  { kind: 'tick', timeMs: 7 },
  { kind: 'rollout', rollout: { kind: 'policy', number: 3, hash: 'ab' } },
];

describe('control records', () => {
  it.each([
    ['AcceptedRecord', AcceptedRecord],
    ['FeatureRecord', FeatureRecord],
    ['ScoreRecord', ScoreRecord],
  ])('come through every internal topic as they went in: %s', (_, type) => {
    for (const control of CONTROLS)
      expect(toControl(type.decode(encodeControl(type, control)).record)).toEqual(control);
  });

  it('are distinguished from whatever else a topic carries', () => {
    expect(toControl(undefined)).toBeUndefined();
    expect(toControl({ $case: 'event' })).toBeUndefined();
  });
});
