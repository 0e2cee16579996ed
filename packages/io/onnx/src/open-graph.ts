import { AppError, must, toMessage } from '@perennial/kernel';
import { BATCH_ROWS_MAX, type BatchShapes, ROW_MULTIPLE, splitBatch } from './batch-shapes.js';
import { type GraphDeclaration, listTensorProblems, readResults, toWidths } from './graph.js';
import { type RunResult, toCleanMessage } from './results.js';
import type { InferenceSession } from './runtime.js';
import { Tensor } from './runtime.js';
import { type ExecutionProvider, isMemoryError, openSession, type ProviderFallback } from './session.js';

/** What is known of a graph once it is open. */
export interface GraphFacts {
  readonly provider: ExecutionProvider;
  /** Requested providers that could not be used, each with the reason. */
  readonly fallbacks: readonly ProviderFallback[];
  readonly batchShapes: BatchShapes;
}

/** A graph that can be run, in this process or in another. */
export interface OpenGraph extends GraphFacts {
  /** At most `BATCH_ROWS_MAX` rows, row-major. Throws only for a problem of this machine. */
  run(rows: Float32Array): Promise<RunResult>;
  /** The same, at the same time and, where that is another process, in one more: for rows that may end it. */
  runApart(rows: Float32Array): Promise<RunResult>;
  release(): Promise<void>;
}

/**
 * Opens an ONNX graph in this process, on the first provider (in order of preference) that can run it. Throws
 * `artifact_invalid` with all reasons when the graph does not match its declaration.
 */
export async function openGraph(
  file: Buffer,
  graph: GraphDeclaration,
  { providers }: { readonly providers: readonly ExecutionProvider[] },
): Promise<OpenGraph> {
  const { features } = toWidths(graph);
  const { session, provider, fallbacks } = await openSession(file, providers, async (opened) => {
    // Wrong tensors are an error of the model: no other provider would make them fit.
    if (listTensorProblems(graph, opened).length > 0) return;
    await probe(opened, graph, new Float32Array(ROW_MULTIPLE * features));
  });
  const problems = listTensorProblems(graph, session);
  if (problems.length > 0) {
    await session.release();
    throw new AppError('artifact_invalid', `the model is rejected: ${problems.join('; ')}`, { details: { problems } });
  }
  const batchShapes = provider === 'cpu' ? await findBatchShapes(session, graph) : 'fixed';
  const run = (rows: Float32Array) => runParts(session, graph, { rows, batchShapes });
  return {
    provider,
    fallbacks,
    batchShapes,
    run,
    runApart: run,
    release: () => session.release(),
  };
}

async function runParts(
  session: InferenceSession,
  graph: GraphDeclaration,
  { rows, batchShapes }: { readonly rows: Float32Array; readonly batchShapes: BatchShapes },
): Promise<RunResult> {
  const { features, heads } = toWidths(graph);
  const count = rows.length / features;
  const results = new Float32Array(count * heads);
  for (const part of splitBatch(count, batchShapes)) {
    const padded = new Float32Array(part.shape * features);
    padded.set(rows.subarray(part.start * features, (part.start + part.count) * features));
    const found = await runOnce(session, graph, padded);
    if ('failure' in found) return found;
    results.set(found.results.subarray(0, part.count * heads), part.start * heads);
  }
  return { results };
}

async function runOnce(session: InferenceSession, graph: GraphDeclaration, rows: Float32Array): Promise<RunResult> {
  const input = must(graph.inputs[0], 'input');
  const { features } = toWidths(graph);
  const count = rows.length / features;
  const outputs = [...new Set(graph.heads.map(({ output }) => output))];
  try {
    const found = await session.run({ [input.name]: new Tensor('float32', rows, [count, features]) }, outputs);
    return readResults(found, graph.heads, count);
  } catch (error) {
    const reason = isMemoryError(error) ? 'memory' : 'error';
    return { failure: { reason, message: toCleanMessage(toMessage(error)) } };
  }
}

/** The numbers of generated rows, which every valid graph computes; throws when it does not. */
async function probe(session: InferenceSession, graph: GraphDeclaration, rows: Float32Array): Promise<Float32Array> {
  const found = await runOnce(session, graph, rows);
  if ('results' in found) return found.results;
  const { reason, message } = found.failure;
  const code = reason === 'memory' ? 'resource_exhausted' : 'artifact_invalid';
  throw new AppError(code, `the model is rejected: on a generated row, ${message}`);
}

const PROBE_SHAPES = [ROW_MULTIPLE, 3 * ROW_MULTIPLE, 8 * ROW_MULTIPLE, BATCH_ROWS_MAX] as const;

/**
 * Runs the same generated rows in several shapes and at several positions: `multiples` when every row always has the
 * same bits. Throws `artifact_invalid` for a graph whose rows depend on each other.
 */
async function findBatchShapes(session: InferenceSession, graph: GraphDeclaration): Promise<BatchShapes> {
  const { features, heads } = toWidths(graph);
  const known = new Map<number, string>();
  let isInvariant = true;
  for (const shape of PROBE_SHAPES) {
    for (const shift of [0, 5]) {
      const found = await probe(session, graph, toProbes(shape, features, shift));
      for (let row = 0; row < shape; row++) {
        const bits = toBits(found, row, heads);
        const index = (row + shift) % ROW_MULTIPLE;
        isInvariant &&= (known.get(index) ?? bits) === bits;
        known.set(index, bits);
      }
    }
  }
  await checkNeighbours(session, graph);
  return isInvariant ? 'multiples' : 'fixed';
}

/** In one shape and at one position a row's bits must not change with the rows beside it. */
async function checkNeighbours(session: InferenceSession, graph: GraphDeclaration): Promise<void> {
  const { features, heads } = toWidths(graph);
  const rows = toProbes(ROW_MULTIPLE, features, 0);
  const among = await probe(session, graph, rows);
  for (const row of [0, ROW_MULTIPLE - 1]) {
    const alone = new Float32Array(rows.length);
    alone.set(rows.subarray(row * features, (row + 1) * features), row * features);
    if (toBits(await probe(session, graph, alone), row, heads) === toBits(among, row, heads)) continue;
    throw new AppError(
      'artifact_invalid',
      'the model is rejected: a row has other numbers when other rows are beside it',
    );
  }
}

/** Rows spread over magnitudes, with some values missing: a fixed sequence, so that every start decides the same. */
function toProbes(shape: number, features: number, shift: number): Float32Array {
  return Float32Array.from({ length: shape * features }, (_, index) => {
    const row = (Math.floor(index / features) + shift) % ROW_MULTIPLE;
    const column = index % features;
    const isMissing = (row * 7 + column * 3) % 11 === 0;
    return isMissing ? Number.NaN : Math.exp((((row * 31 + column * 17) % 97) / 97) * 8 - 1);
  });
}

function toBits(results: Float32Array, row: number, heads: number): string {
  return new Uint32Array(results.slice(row * heads, (row + 1) * heads).buffer).join();
}
