import { describe, expect, it } from '@jest/globals';
import { ScoreRecord } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { decodeValue } from './decode.js';
import { createScoreNamer } from './name-scores.js';

const MANIFEST = Buffer.from(
  JSON.stringify({
    formatVersion: 2,
    name: 'small',
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: 'a'.repeat(64) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, 1] }],
    outputs: [{ name: 'all', dtype: 'float32', shape: [null, 2] }],
    features: [{ name: 'visits_7d', hash: 'b'.repeat(64) }],
    heads: ['renewal', 'churn'].map((name, column) => ({
      name,
      output: 'all',
      column,
      meaning: name,
      kind: 'probability',
    })),
  }),
);

function setUp() {
  const loads: string[] = [];
  const name = createScoreNamer(async (hash) => {
    loads.push(hash);
    if (hash !== 'm1') throw new AppError('not_found', 'no such artifact');
    return MANIFEST;
  });
  return { loads, name };
}

function decodeScores(modelHash: string, scores: number[]) {
  const value = {
    modelHash,
    scores,
    stage: 'new',
    stageSinceMs: 0,
    transition: undefined,
    features: undefined,
    segments: undefined,
  };
  const record = ScoreRecord.encode({ record: { $case: 'computed', value } }).finish();
  return decodeValue('scoreComputed', Buffer.from(record));
}

describe('scores of score.computed', () => {
  it('get the names of their heads, whose manifest is loaded once', async () => {
    const { loads, name } = setUp();
    const named = await name(decodeScores('m1', [0.25, 0.5]));
    expect(named.value).toMatchObject({ modelHash: 'm1', scores: { renewal: 0.25, churn: 0.5 }, stage: 'new' });
    await name(decodeScores('m1', [0.5, 0.5]));
    expect(loads).toEqual(['m1']);
  });

  it.each([
    ['the manifest is not there', 'm2', [0.25]],
    ['they are not as many as its heads', 'm1', [0.25]],
    ['there is no model', '', []],
  ])('stay as they are where %s', async (_, modelHash, scores) => {
    const decoded = decodeScores(modelHash, scores);
    expect(await setUp().name(decoded)).toBe(decoded);
  });

  it('leave other records alone', async () => {
    const { loads, name } = setUp();
    for (const decoded of [decodeValue('actionDecided', Buffer.from('{"a":1}')), decodeValue('scoreComputed', null)]) {
      expect(await name(decoded)).toBe(decoded);
    }
    expect(loads).toEqual([]);
  });
});
