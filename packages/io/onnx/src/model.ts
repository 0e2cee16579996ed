import { AppError, must } from '@perennial/kernel';
import type { BatchShapes } from './batch-shapes.js';
import { BATCH_ROWS_MAX, ROW_MULTIPLE, splitBatch } from './batch-shapes.js';
import { type GraphDeclaration, listTensorProblems, type RowWidths, readResults } from './graph.js';
import { createMicroBatcher } from './micro-batch.js';
import type { InferenceSession } from './runtime.js';
import { Tensor } from './runtime.js';
import type { ExecutionProvider, ProviderFallback } from './session.js';
import { openSession } from './session.js';

/** A checked model that is ready to score. */
export interface Model {
  readonly provider: ExecutionProvider;
  /** Requested providers that could not be used, each with the reason. */
  readonly fallbacks: readonly ProviderFallback[];
  readonly batchShapes: BatchShapes;
  /**
   * Scores rows of raw features (row-major, NaN for no value; length = rows x features) and returns the declared heads
   * of each row (row-major; length = rows x heads). A row's result has the same bits whatever the other rows are and
   * however many there are. The values are the graph's: the caller must check their range.
   */
  score(rows: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Opens an ONNX graph on the first provider (in order of preference) that can run it. Throws `artifact_invalid` with
 * all reasons when the graph does not match its declaration.
 */
export async function loadModel(
  file: Buffer,
  graph: GraphDeclaration,
  { providers }: { readonly providers: readonly ExecutionProvider[] },
): Promise<Model> {
  const features = must(graph.inputs[0]?.shape[1], 'the width of the input');
  const widths: RowWidths = { features, heads: graph.heads.length };
  const { session, provider, fallbacks } = await openSession(file, providers, async (opened) => {
    // Wrong tensors are an error of the model: no other provider would make them fit.
    if (listTensorProblems(graph, opened).length > 0) return;
    await runOnce(opened, graph, { ...widths, rows: new Float32Array(ROW_MULTIPLE * features) });
  });
  const problems = listTensorProblems(graph, session);
  if (problems.length > 0) {
    await session.release();
    throw new AppError('artifact_invalid', `the model is rejected: ${problems.join('; ')}`, { details: { problems } });
  }
  const batchShapes = provider === 'cpu' && (await isShapeInvariant(session, graph, widths)) ? 'multiples' : 'fixed';
  const scoreTogether = createMicroBatcher(
    (rows) => scoreInParts(session, graph, { ...widths, rows, batchShapes }),
    widths,
  );
  return {
    provider,
    fallbacks,
    batchShapes,
    async score(rows) {
      // Checked per caller: one caller's mistake must not fail the others in its batch.
      if (rows.length % features !== 0) {
        throw new AppError('contract_violation', `${rows.length} numbers are no rows of ${features} features`);
      }
      return scoreTogether(rows);
    },
    release: () => session.release(),
  };
}

interface Rows extends RowWidths {
  readonly rows: Float32Array;
}

async function scoreInParts(
  session: InferenceSession,
  graph: GraphDeclaration,
  { rows, features, heads, batchShapes }: Rows & { readonly batchShapes: BatchShapes },
): Promise<Float32Array> {
  const count = rows.length / features;
  const results = new Float32Array(count * heads);
  for (const part of splitBatch(count, batchShapes)) {
    const padded = new Float32Array(part.shape * features);
    padded.set(rows.subarray(part.start * features, (part.start + part.count) * features));
    const found = await runOnce(session, graph, { rows: padded, features, heads });
    results.set(found.subarray(0, part.count * heads), part.start * heads);
  }
  return results;
}

async function runOnce(
  session: InferenceSession,
  graph: GraphDeclaration,
  { rows, features }: Rows,
): Promise<Float32Array> {
  const input = must(graph.inputs[0], 'input');
  const count = rows.length / features;
  const outputs = [...new Set(graph.heads.map(({ output }) => output))];
  const found = await session.run({ [input.name]: new Tensor('float32', rows, [count, features]) }, outputs);
  return readResults(found, graph.heads, count);
}

const PROBE_SHAPES = [ROW_MULTIPLE, 3 * ROW_MULTIPLE, 8 * ROW_MULTIPLE, BATCH_ROWS_MAX] as const;

/**
 * Runs the same generated rows in several shapes and at several positions; true when every row always has the same
 * bits.
 */
async function isShapeInvariant(
  session: InferenceSession,
  graph: GraphDeclaration,
  { features, heads }: RowWidths,
): Promise<boolean> {
  // Spread over magnitudes, with some missing: a fixed sequence, so that every start decides the same.
  const toProbe = (row: number, column: number) =>
    (row * 7 + column * 3) % 11 === 0 ? Number.NaN : Math.exp((((row * 31 + column * 17) % 97) / 97) * 8 - 1);
  const known = new Map<number, string>();
  for (const shape of PROBE_SHAPES) {
    for (const shift of [0, 5]) {
      const rows = Float32Array.from({ length: shape * features }, (_, index) =>
        toProbe((Math.floor(index / features) + shift) % ROW_MULTIPLE, index % features),
      );
      const found = await runOnce(session, graph, { rows, features, heads });
      for (let row = 0; row < shape; row++) {
        const bits = new Uint32Array(found.slice(row * heads, (row + 1) * heads).buffer).join();
        const probe = (row + shift) % ROW_MULTIPLE;
        if ((known.get(probe) ?? bits) !== bits) return false;
        known.set(probe, bits);
      }
    }
  }
  return true;
}
