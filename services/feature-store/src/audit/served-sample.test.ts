import { expect, it } from '@jest/globals';
import { encodeMessage, encodePosition, FeatureRecord, type FeaturesUpdated, HEADERS } from '@perennial/contracts';
import { ServedSample } from './served-sample.js';

const UPDATE: FeaturesUpdated = {
  specHash: 's',
  values: [1],
  asOfMs: 0,
  lastEventAtMs: 0,
  subject: Buffer.alloc(0),
  timeZone: '',
  event: undefined,
  attributes: [],
};

function toRecord(offset: number, value: Buffer) {
  const position = encodePosition({ source: 'feature-store/0', offset, ordinal: 0 });
  return { partition: 0, key: Buffer.from('k'), value, headers: { [HEADERS.position]: position } };
}

it('leaves out what others wrote into the topic, wherever it says that it stands', () => {
  const sample = new ServedSample({ profilesMax: 9, seed: 's' });
  const served = encodeMessage(FeatureRecord, { record: { $case: 'updated', value: UPDATE } });
  sample.take(toRecord(2 ** 40, Buffer.from('forged')));
  sample.take(toRecord(3, served));
  sample.take(toRecord(5, served));
  expect(sample.reachOf(0)).toEqual({ from: 4, to: 5 });
  expect(sample.updatesOf('k').map(({ offset }) => offset)).toEqual([3, 5]);
});
