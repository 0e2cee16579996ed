import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AppError, must, toSha256 } from '@perennial/kernel';
import type { ModelFiles } from './container.js';
import { packFiles, packModel, readModelFolder, unpackModel } from './container.js';
import type { ModelManifest } from './manifest.js';
import { TABULAR_OUTPUTS } from './manifest.js';
import type { LoadModelOptions, Model } from './model.js';
import { loadModel } from './model.js';

const FOLDER = join(__dirname, '../../../../trainer/models/default');
const manifest = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as ModelManifest;
const features = manifest.featureNames.length;
const options: LoadModelOptions = {
  featureSpecHash: manifest.featureSpecHash,
  featureNames: manifest.featureNames,
  providers: ['cpu'],
};

/** A seeded stream in [0, 1). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function createRows(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count * features }, () => {
    const uniform = random();
    return uniform < 0.05 ? Number.NaN : Math.exp(random() * 8 - 1);
  });
}

function toBits(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

async function listReasons(promise: Promise<unknown>): Promise<readonly string[]> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`expected a refusal, got ${String(error)}`);
  expect(error.code).toBe('model_refused');
  return (error.details.problems as string[] | undefined) ?? [error.message];
}

describe('loadModel', () => {
  let files: ModelFiles;
  beforeAll(async () => {
    files = await readModelFolder(FOLDER);
  });

  const withManifest = (changes: Record<string, unknown>): ModelFiles => ({
    model: files.model,
    manifest: Buffer.from(JSON.stringify({ ...manifest, ...changes })),
  });

  it('accepts the default model, with fields it does not know', async () => {
    const model = await loadModel(withManifest({ somethingNew: { a: 1 } }), options);
    expect(model.provider).toBe('cpu');
    expect(model.fallbacks).toEqual([]);
    expect(model.batchShapes).toBe('multiples');
    await model.release();
  });

  it.each([0, 4_000, -1])('refuses a file with byte %d changed', async (at) => {
    const model = Buffer.from(files.model);
    const index = at < 0 ? model.length + at : at;
    model[index] = (model[index] ?? 0) ^ 1;
    const reasons = await listReasons(loadModel({ ...files, model }, options));
    expect(reasons).toEqual([expect.stringContaining('the file was changed or damaged')]);
  });

  it('names every reason at once', async () => {
    const reasons = await listReasons(
      loadModel(withManifest({ featureSpecHash: 'other', featureNames: [...manifest.featureNames].reverse() }), {
        ...options,
      }),
    );
    expect(reasons).toEqual([
      expect.stringContaining('feature spec other'),
      expect.stringContaining('feature 0 must be orders_count_7d, the manifest has events_count_all'),
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown format', { formatVersion: 2 }, 'formatVersion must be 1, it is 2'],
    ['another kind', { kind: 'recurrent' }, 'kind must be "tabular"'],
    ['a path as file name', { file: { ...manifest.file, name: '../x.onnx' } }, 'file.name must be a file name'],
    ['a hash that is none', { file: { ...manifest.file, sha256: 'abc' } }, 'file.sha256 must be 64 hex digits'],
    ['no inputs', { inputs: [] }, 'a tabular model has one input, this has 0'],
    ['a missing output', { outputs: manifest.outputs.slice(1) }, 'output purchase_probability is missing'],
    ['a declared width that is wrong', { inputs: [{ ...manifest.inputs[0], shape: [null, 3] }] }, 'shape [null,18]'],
    ['a dtype that is none', { inputs: [{ ...manifest.inputs[0], dtype: 'text' }] }, 'dtype must be float32'],
    ['a dtype the graph has not', { inputs: [{ ...manifest.inputs[0], dtype: 'float64' }] }, 'must be float32'],
    [
      'an input the graph has not',
      { inputs: [{ ...manifest.inputs[0], name: 'x' }] },
      'input x is declared but not in',
    ],
    [
      'an output the graph has not',
      { outputs: [...manifest.outputs, { name: 'luck', dtype: 'float32', shape: [null] }] },
      'output luck is declared but not in model.onnx',
    ],
    ['no names', { featureNames: 7 }, 'featureNames must be a list of names'],
  ])('refuses %s', async (_, changes, reason) => {
    expect((await listReasons(loadModel(withManifest(changes), options))).join('\n')).toContain(reason);
  });

  it('refuses a manifest that is not JSON, and a file that is not ONNX', async () => {
    expect(await listReasons(loadModel({ ...files, manifest: Buffer.from('{') }, options))).toEqual([
      'manifest.json is not a JSON object',
    ]);
    const model = Buffer.from('not a model');
    const damaged = { ...manifest, file: { ...manifest.file, sha256: toSha256(model) } };
    const reasons = await listReasons(loadModel({ model, manifest: Buffer.from(JSON.stringify(damaged)) }, options));
    expect(reasons).toEqual([expect.stringMatching(/^model: /)]);
  });

  it('refuses a folder without a model', async () => {
    expect(await listReasons(loadModel(__dirname, options))).toEqual([expect.stringContaining('cannot read')]);
  });

  it('falls back, and says why, where there is no GPU', async () => {
    const model = await loadModel(files, { ...options, providers: ['cuda', 'webgpu', 'cpu'] });
    // On a machine with an adapter the wish comes true; either way it is said which provider runs.
    expect(model.fallbacks.map(({ provider }) => provider)).toEqual(
      ['cuda', 'webgpu', 'cpu'].slice(0, ['cuda', 'webgpu', 'cpu'].indexOf(model.provider)),
    );
    for (const { reason } of model.fallbacks) expect(reason).not.toBe('');
    const scores = await model.score(createRows(3, 1));
    expect(scores.expected_spend).toHaveLength(3);
    await model.release();
  });

  it('says what failed when no provider is left', async () => {
    await expect(loadModel(files, { ...options, providers: ['cuda'] })).rejects.toThrow(
      /no execution provider can be used \(cuda: .+\)/,
    );
  });
});

describe('score', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(FOLDER, options);
  });

  it('gives a row the same bits whatever stands beside it', async () => {
    const total = 1_100;
    const rows = createRows(total, 42);
    const whole = await model.score(rows);
    // Every size up to 130, the sizes about the split, and shifting starts.
    const sizes = [...Array.from({ length: 130 }, (_, index) => index + 1), 255, 256, 257, 511, 512, 513, 1_025];
    for (const size of sizes) {
      for (const start of [0, 7, total - size]) {
        const part = await model.score(rows.slice(start * features, (start + size) * features));
        for (const name of TABULAR_OUTPUTS) {
          expect(toBits(part[name])).toEqual(toBits(whole[name].subarray(start, start + size)));
        }
      }
    }
  });

  it('answers probabilities, and what a prospect is', async () => {
    const rows = new Float32Array(3 * features);
    rows.fill(Number.NaN, features, 2 * features);
    rows[2 * features + manifest.featureNames.indexOf('orders_count_all')] = 2;
    const scores = await model.score(rows);
    expect([...scores.churn_probability.subarray(0, 2)]).toEqual([0, 0]);
    const [first, , customer] = scores.purchase_probability;
    expect(must(first, 'prospect')).toBeCloseTo(0.05);
    expect(must(scores.churn_probability[2], 'churn')).toBeCloseTo(1 - must(customer, 'customer'), 6);
  });

  it('answers nothing for no rows, and refuses half a row', async () => {
    expect((await model.score(new Float32Array(0))).expected_spend).toHaveLength(0);
    await expect(model.score(new Float32Array(features + 1))).rejects.toThrow('no rows of 18 features');
  });

  it('stays finite for infinite numbers', async () => {
    const scores = await model.score(new Float32Array(features).fill(Number.POSITIVE_INFINITY));
    for (const name of TABULAR_OUTPUTS) expect(Number.isFinite(scores[name][0])).toBe(true);
  });
});

describe('packModel', () => {
  it('keeps both files, and the same files give the same bytes', async () => {
    const packed = await packModel(FOLDER);
    const files = unpackModel(packed);
    expect(files.model.equals(readFileSync(join(FOLDER, 'model.onnx')))).toBe(true);
    expect(packFiles(files).equals(packed)).toBe(true);
    expect((await loadModel(files, options)).manifest.name).toBe('default');
  });

  it.each([
    ['other bytes', Buffer.from('hello world'), 'not a packed model'],
    ['nothing', Buffer.alloc(0), 'not a packed model'],
    ['a cut one', Buffer.from([0x50, 0x4e, 0x4d, 0x31, 0, 0, 1, 0, 1]), 'cut short'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => unpackModel(bytes)).toThrow(reason);
  });

  it('refuses what is larger than a registry takes', () => {
    expect(() => packFiles({ manifest: Buffer.alloc(10), model: Buffer.alloc(64 * 1024 * 1024) })).toThrow(
      '67108864 at most',
    );
  });
});
