import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { toCanonicalManifest, toManifestHash } from './canonical.js';
import { listFileProblems } from './file.js';
import { parseManifest } from './parse-manifest.js';
import { checkScores, toNamedScores } from './scores.js';

const FOLDER = join(__dirname, '../../../../trainer/models/default');
const BYTES = readFileSync(join(FOLDER, 'manifest.json'));
const FILE = readFileSync(join(FOLDER, 'model.onnx'));
const parsed = parseManifest(BYTES);
if (!('manifest' in parsed)) throw new Error(parsed.problems.join('\n'));
const { manifest } = parsed;

describe('the hash of a manifest', () => {
  it('is that of its words, not of its layout', () => {
    const value = JSON.parse(BYTES.toString()) as object;
    const turned = Object.fromEntries(Object.entries(value).reverse());
    expect(toManifestHash(Buffer.from(JSON.stringify(turned, null, '\t')))).toBe(toManifestHash(BYTES));
    expect(toManifestHash(Buffer.from(JSON.stringify({ ...value, remark: 1 })))).not.toBe(toManifestHash(BYTES));
  });

  it('stays what it is once the manifest is canonical', () => {
    const canonical = toCanonicalManifest(BYTES);
    expect(toCanonicalManifest(canonical).equals(canonical)).toBe(true);
    expect(toCanonicalManifest(Buffer.from('{"b": [1, {"z": 0, "y": null}], "a": "x"}')).toString()).toBe(
      '{"a":"x","b":[1,{"y":null,"z":0}]}',
    );
  });

  it.each(['', '{', '[]', '7'])('is none of %j', (text) => {
    expect(() => toManifestHash(Buffer.from(text))).toThrow('manifest.json is not');
  });
});

describe('a manifest', () => {
  it.each([0, 4_000, -1])('knows a file with byte %d changed', (at) => {
    expect(listFileProblems(manifest, FILE)).toEqual([]);
    const changed = Buffer.from(FILE);
    const index = at < 0 ? changed.length + at : at;
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(listFileProblems(manifest, changed)).toEqual([expect.stringContaining('the file was changed or damaged')]);
  });
});

describe('scores', () => {
  it('are within the ranges of their heads', () => {
    expect(checkScores(manifest, Float32Array.of(0.5, 1, 1e9))).toEqual({ values: [0.5, 1, 1e9] });
    expect(checkScores(manifest, Float32Array.of(1.0000005, -1e-7, 0))).toEqual({ values: [1, 0, 0] });
  });

  it.each([
    [[Number.NaN, 0, 0], 'gave NaN for purchase'],
    [[0.5, 1.01, 0], 'gave 1.0099999904632568 for churn, which is from 0 to 1'],
    [[0.5, 0.5, -3], 'gave -3 for expected_spend'],
    [[0.5, 0.5, Number.POSITIVE_INFINITY], 'gave Infinity for expected_spend'],
    [[0.5, 0.5], 'gave 2 numbers for 3 heads'],
  ])('%j: %s', (row, problem) => {
    const checked = checkScores(manifest, Float32Array.from(row));
    expect('problem' in checked && checked.problem).toContain(`the model default ${problem}`);
  });

  it('go by the names of their heads', () => {
    expect(toNamedScores(manifest, [0.5, 0.25, 10])).toEqual({ purchase: 0.5, churn: 0.25, expected_spend: 10 });
  });
});
