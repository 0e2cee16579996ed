import { AppError, must, toSha256 } from '@perennial/kernel';
import type { BatchShapes } from './batch-shapes.js';
import { BATCH_ROWS_MAX, ROW_MULTIPLE, splitBatch } from './batch-shapes.js';
import type { ModelFiles } from './container.js';
import { readModelFolder } from './container.js';
import type { ModelManifest, TabularOutput, TensorDeclaration } from './manifest.js';
import { parseManifest, TABULAR_OUTPUTS } from './manifest.js';
import { createMicroBatcher } from './micro-batch.js';
import type { InferenceSession } from './runtime.js';
import { Tensor } from './runtime.js';
import type { ExecutionProvider, ProviderFallback } from './session.js';
import { openSession } from './session.js';

export interface LoadModelOptions {
  /** What the vectors are that this process will feed; a model made for others is refused. */
  readonly featureSpecHash: string;
  readonly featureNames: readonly string[];
  /** In order of wish. */
  readonly providers: readonly ExecutionProvider[];
}

/** One number a row and output. */
export type Scores = Readonly<Record<TabularOutput, Float32Array>>;

/** A checked model, ready to score. */
export interface Model {
  readonly manifest: ModelManifest;
  readonly provider: ExecutionProvider;
  /** Providers wished for in vain, with the reason of each. */
  readonly fallbacks: readonly ProviderFallback[];
  readonly batchShapes: BatchShapes;
  /**
   * Scores rows of raw features (row-major, NaN for no value; length = rows x features). A row's result has the same
   * bits whatever rows stand beside it and however many.
   */
  score(rows: Float32Array): Promise<Scores>;
  release(): Promise<void>;
}

/** Loads a model folder (or its files) after checking everything that can be; throws `model_refused` with all reasons. */
export async function loadModel(source: string | ModelFiles, options: LoadModelOptions): Promise<Model> {
  const files = typeof source === 'string' ? await readModelFolder(source) : source;
  const parsed = parseManifest(files.manifest);
  if ('problems' in parsed) throw toRefusal(parsed.problems);
  const { manifest } = parsed;
  const problems = listContentProblems(manifest, files.model, options);
  if (problems.length > 0) throw toRefusal(problems);

  const { session, provider, fallbacks } = await openSession(files.model, options.providers, async (opened) => {
    const unfit = listTensorProblems(manifest, opened);
    // Tensors are the model's own fault: no other provider would mend them.
    if (unfit.length === 0)
      await runOnce(opened, manifest, new Float32Array(ROW_MULTIPLE * manifest.featureNames.length));
  });
  const unfit = listTensorProblems(manifest, session);
  if (unfit.length > 0) {
    await session.release();
    throw toRefusal(unfit);
  }
  const batchShapes = provider === 'cpu' && (await isShapeInvariant(session, manifest)) ? 'multiples' : 'fixed';
  const features = manifest.featureNames.length;
  const scoreTogether = createMicroBatcher((rows) => scoreInParts(session, manifest, rows, batchShapes), features);
  return {
    manifest,
    provider,
    fallbacks,
    batchShapes,
    async score(rows) {
      // Each for itself: a caller's mistake is not to fail its neighbours.
      if (rows.length % features !== 0) {
        throw new AppError('contract_violation', `${rows.length} numbers are no rows of ${features} features`);
      }
      return scoreTogether(rows);
    },
    release: () => session.release(),
  };
}

function toRefusal(problems: readonly string[]): AppError {
  return new AppError('model_refused', `the model is refused: ${problems.join('; ')}`, { details: { problems } });
}

function listContentProblems(manifest: ModelManifest, model: Buffer, options: LoadModelOptions): string[] {
  const problems: string[] = [];
  const sha256 = toSha256(model);
  if (sha256 !== manifest.file.sha256) {
    problems.push(
      `${manifest.file.name} has SHA-256 ${sha256}, the manifest says ${manifest.file.sha256}: the file was changed or damaged`,
    );
  }
  if (manifest.featureSpecHash !== options.featureSpecHash) {
    problems.push(
      `it was made for feature spec ${manifest.featureSpecHash}, this platform computes ${options.featureSpecHash}`,
    );
  }
  const index = options.featureNames.findIndex((name, position) => manifest.featureNames[position] !== name);
  if (index >= 0 || manifest.featureNames.length !== options.featureNames.length) {
    const position = index >= 0 ? index : options.featureNames.length;
    problems.push(
      `feature ${position} must be ${options.featureNames[position] ?? 'absent'}, the manifest has ${manifest.featureNames[position] ?? 'none'}`,
    );
  }
  return problems;
}

/** Compares what the manifest declares with what the graph really has. */
function listTensorProblems(manifest: ModelManifest, session: InferenceSession): string[] {
  return [
    ...compareTensors('input', manifest.inputs, session.inputMetadata),
    ...compareTensors('output', manifest.outputs, session.outputMetadata),
  ];
}

function compareTensors(
  what: 'input' | 'output',
  declared: readonly TensorDeclaration[],
  actual: readonly InferenceSession.ValueMetadata[],
): string[] {
  const problems: string[] = [];
  for (const tensor of declared) {
    const found = actual.find(({ name }) => name === tensor.name);
    if (found === undefined || !found.isTensor) {
      problems.push(`${what} ${tensor.name} is declared but not in model.onnx`);
      continue;
    }
    if (found.type !== tensor.dtype) problems.push(`${what} ${tensor.name} is ${found.type}, declared ${tensor.dtype}`);
    const shape = found.shape.map((size) => (typeof size === 'number' && size > 0 ? size : null));
    if (JSON.stringify(shape) !== JSON.stringify(tensor.shape)) {
      problems.push(
        `${what} ${tensor.name} has shape ${JSON.stringify(shape)}, declared ${JSON.stringify(tensor.shape)}`,
      );
    }
  }
  for (const { name } of actual) {
    const isDeclared = declared.some((tensor) => tensor.name === name);
    if (what === 'input' && !isDeclared) problems.push(`input ${name} of model.onnx is not declared`);
  }
  return problems;
}

async function scoreInParts(
  session: InferenceSession,
  manifest: ModelManifest,
  rows: Float32Array,
  shapes: BatchShapes,
): Promise<Scores> {
  const features = manifest.featureNames.length;
  const count = rows.length / features;
  const scores = createScores(count);
  for (const part of splitBatch(count, shapes)) {
    const padded = new Float32Array(part.shape * features);
    padded.set(rows.subarray(part.start * features, (part.start + part.count) * features));
    const found = await runOnce(session, manifest, padded);
    for (const name of TABULAR_OUTPUTS) scores[name].set(found[name].subarray(0, part.count), part.start);
  }
  return scores;
}

async function runOnce(session: InferenceSession, manifest: ModelManifest, rows: Float32Array): Promise<Scores> {
  const input = must(manifest.inputs[0], 'input');
  const features = manifest.featureNames.length;
  const tensor = new Tensor('float32', rows, [rows.length / features, features]);
  const found = await session.run({ [input.name]: tensor }, [...TABULAR_OUTPUTS]);
  const read = (name: TabularOutput) => must(found[name], name).data as Float32Array;
  return {
    purchase_probability: read('purchase_probability'),
    churn_probability: read('churn_probability'),
    expected_spend: read('expected_spend'),
  };
}

function createScores(count: number): Scores {
  return {
    purchase_probability: new Float32Array(count),
    churn_probability: new Float32Array(count),
    expected_spend: new Float32Array(count),
  };
}

const PROBE_SHAPES = [ROW_MULTIPLE, 3 * ROW_MULTIPLE, 8 * ROW_MULTIPLE, BATCH_ROWS_MAX] as const;

/** Runs the same made-up rows in several shapes and at several places; true when every row has the same bits in all. */
async function isShapeInvariant(session: InferenceSession, manifest: ModelManifest): Promise<boolean> {
  const features = manifest.featureNames.length;
  // Spread over magnitudes, with some missing: a fixed sequence, so that every start decides alike.
  const toProbe = (row: number, column: number) =>
    (row * 7 + column * 3) % 11 === 0 ? Number.NaN : Math.exp((((row * 31 + column * 17) % 97) / 97) * 8 - 1);
  const known = new Map<number, string>();
  for (const shape of PROBE_SHAPES) {
    for (const shift of [0, 5]) {
      const rows = Float32Array.from({ length: shape * features }, (_, index) =>
        toProbe((Math.floor(index / features) + shift) % ROW_MULTIPLE, index % features),
      );
      const found = await runOnce(session, manifest, rows);
      for (let row = 0; row < shape; row++) {
        const bits = TABULAR_OUTPUTS.map((name) => toBits(found[name][row] ?? 0)).join();
        const probe = (row + shift) % ROW_MULTIPLE;
        if ((known.get(probe) ?? bits) !== bits) return false;
        known.set(probe, bits);
      }
    }
  }
  return true;
}

function toBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}
