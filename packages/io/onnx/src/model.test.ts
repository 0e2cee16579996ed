import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError, must } from '@perennial/kernel';
import { createTinyGraph, type TinyOutput } from '../testing/index.js';
import type { GraphDeclaration } from './graph.js';
import type { Model } from './model.js';
import { loadModelHere } from './model.js';

const FOLDER = join(__dirname, '../../../../trainer/models/default');
const FILE = readFileSync(join(FOLDER, 'model.onnx'));
const GRAPH = toGraph(JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as ManifestFile);
const features = must(GRAPH.inputs[0]?.shape[1], 'features');
const cpu = { providers: ['cpu'] } as const;

interface ManifestFile extends Omit<GraphDeclaration, 'heads'> {
  readonly heads: ReadonlyArray<{ readonly output: string }>;
}

function toGraph({ inputs, outputs, heads }: ManifestFile): GraphDeclaration {
  return { inputs, outputs, heads: heads.map(({ output }) => ({ output, column: 0 })) };
}

/** Seeded random numbers in [0, 1). */
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
  if (!(error instanceof AppError)) throw new Error(`expected a rejection, got ${String(error)}`);
  expect(error.code).toBe('artifact_invalid');
  return (error.details.problems as string[] | undefined) ?? [error.message];
}

describe('loadModel', () => {
  it('opens the default model', async () => {
    const model = await loadModelHere(FILE, GRAPH, cpu);
    expect(model).toMatchObject({ provider: 'cpu', fallbacks: [], batchShapes: 'multiples' });
    await model.release();
  });

  const [input] = GRAPH.inputs;
  it.each<[string, Partial<GraphDeclaration>, readonly string[]]>([
    [
      'an input that the graph lacks',
      { inputs: [{ ...must(input, 'input'), name: 'x' }] },
      ['input x is declared but not in the graph', 'input features of the graph is not declared'],
    ],
    [
      'an output that the graph lacks',
      { outputs: [...GRAPH.outputs, { name: 'luck', dtype: 'float32', shape: [null] }] },
      ['output luck is declared but not in the graph'],
    ],
    [
      'another width and another type',
      { inputs: [{ ...must(input, 'input'), dtype: 'float64', shape: [null, 3] }] },
      ['input features is float32, declared float64', 'input features has shape [null,18], declared [null,3]'],
    ],
  ])('rejects %s, with every reason', async (_, changes, reasons) => {
    expect(await listReasons(loadModelHere(FILE, { ...GRAPH, ...changes }, cpu))).toEqual(reasons);
  });

  it('rejects a file that is not ONNX', async () => {
    expect(await listReasons(loadModelHere(Buffer.from('not a model'), GRAPH, cpu))).toEqual([
      expect.stringMatching(/^it is no ONNX file: /),
    ]);
  });

  it('falls back, and says why, where there is no GPU', async () => {
    const model = await loadModelHere(FILE, GRAPH, { providers: ['cuda', 'webgpu', 'cpu'] });
    // On a machine with an adapter the requested provider runs; either way the model reports which one runs.
    expect(model.fallbacks.map(({ provider }) => provider)).toEqual(
      ['cuda', 'webgpu', 'cpu'].slice(0, ['cuda', 'webgpu', 'cpu'].indexOf(model.provider)),
    );
    for (const { reason } of model.fallbacks) expect(reason).not.toBe('');
    expect((await model.score(createRows(3, 1))).results).toHaveLength(3 * GRAPH.heads.length);
    await model.release();
  });

  it('says what failed when no provider is left', async () => {
    await expect(loadModelHere(FILE, GRAPH, { providers: ['cuda'] })).rejects.toThrow(
      /no execution provider can be used \(cuda: .+\)/,
    );
  });
});

describe('the default model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModelHere(FILE, GRAPH, cpu);
  });
  afterAll(() => model.release());

  it('gives a row the same bits whatever stands beside it', async () => {
    const total = 1_100;
    const rows = createRows(total, 42);
    const heads = GRAPH.heads.length;
    const { results: whole } = await model.score(rows);
    // Every size up to 130, the sizes around the split, and shifting starts.
    const sizes = [...Array.from({ length: 130 }, (_, index) => index + 1), 255, 256, 257, 511, 512, 513, 1_025];
    for (const size of sizes) {
      for (const start of [0, 7, total - size]) {
        const { results: part } = await model.score(rows.slice(start * features, (start + size) * features));
        expect(toBits(part)).toEqual(toBits(whole.subarray(start * heads, (start + size) * heads)));
      }
    }
  });

  it('answers nothing for no rows, and rejects half a row', async () => {
    expect((await model.score(new Float32Array(0))).results).toHaveLength(0);
    await expect(model.score(new Float32Array(features + 1))).rejects.toThrow('no rows of 18 features');
  });

  it('stays finite for infinite numbers', async () => {
    const { results: found } = await model.score(new Float32Array(features).fill(Number.POSITIVE_INFINITY));
    expect([...found].every(Number.isFinite)).toBe(true);
  });
});

describe('a model of other heads', () => {
  const input = { name: 'features', dtype: 'float32', shape: [null, 3] };
  const toOutput = ({ name, isFlat, columns }: TinyOutput) => ({
    name,
    dtype: 'float32',
    shape: isFlat ? [null] : [null, columns.length],
  });

  async function score(outputs: readonly TinyOutput[], heads: GraphDeclaration['heads'], rows: readonly number[]) {
    const graph = { inputs: [input], outputs: outputs.map(toOutput), heads };
    const model = await loadModelHere(createTinyGraph(3, outputs), graph, cpu);
    const { results } = await model.score(Float32Array.from(rows));
    await model.release();
    return [...results];
  }

  it('may have one', async () => {
    const renewal: TinyOutput = { name: 'renewal', isFlat: true, isProbability: true, columns: [{ constant: 0 }] };
    expect(await score([renewal], [{ output: 'renewal', column: 0 }], [1, 2, 3, 4, 5, 6])).toEqual([0.5, 0.5]);
  });

  it('may have them in columns of several tensors, read in the order declared', async () => {
    const days: TinyOutput = { name: 'days', columns: [{ constant: 7 }, { constant: 30, weights: { 0: 1 } }] };
    const value: TinyOutput = { name: 'value', isFlat: true, columns: [{ constant: 0, weights: { 1: 2, 2: 1 } }] };
    const heads = [
      { output: 'days', column: 1 },
      { output: 'value', column: 0 },
      { output: 'days', column: 0 },
    ];
    // A missing feature counts as 0.
    expect(await score([value, days], heads, [1, 2, 3, 4, Number.NaN, 6])).toEqual([31, 7, 7, 34, 6, 7]);
  });

  it('is rejected for a column that its output lacks', async () => {
    const value: TinyOutput = { name: 'value', columns: [{ constant: 1 }] };
    await expect(score([value], [{ output: 'value', column: 1 }], [1, 2, 3])).rejects.toMatchObject({
      code: 'artifact_invalid',
      message: expect.stringContaining('output value has shape [16,1] for 16 rows'),
    });
  });
});
