import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { HEADS_MAX, MANIFEST_BYTES_MAX } from './manifest.js';
import { parseManifest } from './parse-manifest.js';

const BYTES = readFileSync(join(__dirname, '../../../../trainer/models/default/manifest.json'));

const SMALL = {
  formatVersion: 2,
  name: 'small',
  kind: 'tabular',
  file: { name: 'model.onnx', sha256: 'a'.repeat(64) },
  inputs: [{ name: 'features', dtype: 'float32', shape: [null, 2] }],
  outputs: [{ name: 'days', dtype: 'float32', shape: [null, 2] }],
  features: [
    { name: 'visits_7d', hash: 'b'.repeat(64) },
    { name: 'tenure_days', hash: 'c'.repeat(64) },
  ],
  heads: [{ name: 'renewal', output: 'days', meaning: 'Renews within 30 days', kind: 'probability' }],
};
const [HEAD] = SMALL.heads;

function problemsOf(changes: Record<string, unknown>): readonly string[] {
  const parsed = parseManifest({ ...SMALL, ...changes });
  return 'problems' in parsed ? parsed.problems : [];
}

const withHead = (changes: Record<string, unknown>) => problemsOf({ heads: [{ ...HEAD, ...changes }] });

describe('parseManifest', () => {
  it('reads the manifest of the default model', () => {
    const parsed = parseManifest(BYTES);
    if (!('manifest' in parsed)) throw new Error(parsed.problems.join('\n'));
    const { name, features, heads, slots } = parsed.manifest;
    expect(name).toBe('default');
    expect(features).toHaveLength(18);
    expect(heads.map((head) => [head.name, head.output, head.kind, head.horizonDays, head.unit])).toEqual([
      ['purchase', 'purchase_probability', 'probability', 90, 'probability'],
      ['churn', 'churn_probability', 'probability', 90, 'probability'],
      ['expected_spend', 'expected_spend', 'amount', 90, 'currency of the events'],
    ]);
    expect([...slots]).toEqual([
      ['purchase', 0],
      ['churn', 1],
      ['expected_spend', 2],
    ]);
  });

  it('takes one probability for a model, with what it leaves out', () => {
    const parsed = parseManifest(SMALL);
    expect('manifest' in parsed && parsed.manifest.heads).toEqual([
      { ...HEAD, column: 0, horizonDays: undefined, unit: '', range: { min: 0, max: 1 } },
    ]);
    expect('manifest' in parsed && parsed.manifest.features[1]).toEqual({ name: 'tenure_days', hash: 'c'.repeat(64) });
  });

  it('ignores fields that it does not know', () => {
    expect(problemsOf({ somethingNew: { a: 1 } })).toEqual([]);
  });

  it('reports all problems at once', () => {
    expect(
      problemsOf({
        formatVersion: 1,
        name: '',
        features: [],
        heads: [{ ...HEAD, name: 'Renewal', kind: 'percentage' }, 7],
      }),
    ).toEqual([
      'manifest.json: formatVersion must be 2, it is 1',
      'manifest.json: name must be a text of 1 to 100 characters',
      'manifest.json: features must be a list of features, at least one',
      'manifest.json: heads[0].name must be 1 to 63 lower-case letters, digits and _, a letter first, it is "Renewal"',
      'manifest.json: heads[0].kind must be one of probability, amount, count, number, it is "percentage"',
      'manifest.json: heads[1] must be an object',
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another kind', { kind: 'recurrent' }, 'kind must be "tabular"'],
    ['a path as file name', { file: { ...SMALL.file, name: '../x.onnx' } }, 'file.name must be a file name'],
    ['a hash that is none', { file: { ...SMALL.file, sha256: 'abc' } }, 'file.sha256 must be 64 hex digits'],
    ['no inputs', { inputs: [] }, 'inputs must be a list of tensors, at least one'],
    ['two inputs', { inputs: [...SMALL.inputs, { ...SMALL.inputs[0], name: 'x' }] }, 'has one input, this has 2'],
    ['a width that is wrong', { inputs: [{ ...SMALL.inputs[0], shape: [null, 3] }] }, 'must have shape [null,2]'],
    ['a dtype that is none', { inputs: [{ ...SMALL.inputs[0], dtype: 'text' }] }, 'dtype must be float32 or float64'],
    ['a dtype that it cannot have', { outputs: [{ ...SMALL.outputs[0], dtype: 'float64' }] }, 'days must be float32'],
    [
      'an output of three dimensions',
      { outputs: [{ ...SMALL.outputs[0], shape: [null, 2, 2] }] },
      'or [null, columns]',
    ],
    [
      'an output without rows',
      { outputs: [{ ...SMALL.outputs[0], shape: [2] }] },
      'output days must have shape [null]',
    ],
    ['a tensor twice', { outputs: [SMALL.outputs[0], SMALL.outputs[0]] }, 'the tensor days is declared twice'],
    ['features that are names only', { features: ['visits_7d', 'tenure_days'] }, 'features[0] must be {"name": TEXT'],
    ['a feature twice', { features: [SMALL.features[0], SMALL.features[0]] }, 'visits_7d is named twice'],
    ['no heads', { heads: [] }, 'heads must be a list of heads, at least one'],
    ['a head twice', { heads: [HEAD, { ...HEAD, column: 1 }] }, 'the head renewal is declared twice'],
    ['two heads in one place', { heads: [HEAD, { ...HEAD, name: 'again' }] }, 'two heads are column 0 of days'],
    ['too many heads', { heads: Array.from({ length: HEADS_MAX + 1 }, () => HEAD) }, 'heads has 65 heads, 64 at most'],
  ])('rejects %s', (_, changes, problem) => {
    expect(problemsOf(changes).join('\n')).toContain(problem);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a word of CEL as name', { name: 'in' }, 'name must not be in, a word of the condition language'],
    ['a name with a dash', { name: 'is-new' }, 'lower-case letters, digits and _'],
    ['a name that is too long', { name: 'x'.repeat(64) }, 'name must be 1 to 63'],
    ['an unknown output', { output: 'luck' }, 'output luck, which is not among the outputs'],
    ['a column that is not there', { column: 2 }, 'column 2 of output days, which has 2'],
    ['half a column', { column: 0.5 }, 'column must be a whole number from 0'],
    ['no meaning', { meaning: '' }, 'meaning must be a text'],
    ['a horizon in the past', { horizonDays: -1 }, 'horizonDays must be days up to 3660'],
    ['an amount of nothing', { kind: 'amount' }, 'unit must be a text'],
    ['a probability above 1', { max: 2 }, 'max must be a number that a probability can be, it is 2'],
    ['a range that is none', { min: 0.5, max: 0.5 }, 'min must be below max'],
  ])('rejects a head with %s', (_, changes, problem) => {
    expect(withHead(changes).join('\n')).toContain(problem);
  });

  it('narrows a range that the head declares', () => {
    const parsed = parseManifest({ ...SMALL, heads: [{ ...HEAD, kind: 'number', min: -5 }] });
    expect('manifest' in parsed && parsed.manifest.heads[0]?.range).toEqual({ min: -5, max: Number.MAX_VALUE });
  });

  it.each([
    ['no JSON', Buffer.from('{'), 'not a JSON object'],
    ['no object', Buffer.from('[]'), 'not a JSON object'],
    ['too many bytes', Buffer.alloc(MANIFEST_BYTES_MAX + 1), '1048576 at most'],
  ])('rejects %s', (_, bytes, problem) => {
    const parsed = parseManifest(bytes);
    expect('problems' in parsed && parsed.problems.join()).toContain(problem);
  });
});
