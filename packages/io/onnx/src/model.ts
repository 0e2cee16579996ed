import { AppError } from '@perennial/kernel';
import { BATCH_ROWS_MAX } from './batch-shapes.js';
import { listFileProblems } from './file-problems.js';
import { type GraphDeclaration, toWidths } from './graph.js';
import { createMicroBatcher } from './micro-batch.js';
import { type GraphFacts, type OpenGraph, openGraph } from './open-graph.js';
import { openInProcess, type ProcessOptions } from './process/process-graph.js';
import { NO_FAILURES, type RunResult, type ScoredRows } from './results.js';
import type { ExecutionProvider } from './session.js';

/** A checked model that is ready to score. */
export interface Model extends GraphFacts {
  /**
   * Scores rows of raw features (row-major, NaN for no value; length = rows x features) and returns the declared heads
   * of each row (row-major; length = rows x heads), or why the row has none. A row's result has the same bits whatever
   * the other rows are and however many there are. The values are the graph's: the caller must check their range.
   * `lane` names the rows' partition: rows of one that hang or are slow hold up those of the others once, not always.
   * Throws only for a problem of this machine.
   */
  score(rows: Float32Array, lane?: string): Promise<ScoredRows>;
  release(): Promise<void>;
}

/**
 * Opens an ONNX graph in a process of its own, within limits, on the first provider (in order of preference) that can run
 * it. Throws `artifact_invalid` with all reasons when the graph does not match its declaration or exceeds its limits.
 */
export async function loadModel(file: Buffer, graph: GraphDeclaration, options: ProcessOptions): Promise<Model> {
  checkFile(file);
  return createModel(await openInProcess(file, graph, options), graph);
}

/** The same in this process, without limits: for tests, which need no build then. */
export async function loadModelHere(
  file: Buffer,
  graph: GraphDeclaration,
  options: { readonly providers: readonly ExecutionProvider[] },
): Promise<Model> {
  checkFile(file);
  return createModel(await openGraph(file, graph, options), graph);
}

function checkFile(file: Buffer): void {
  const problems = listFileProblems(file);
  if (problems.length === 0) return;
  throw new AppError('artifact_invalid', `the model is rejected: ${problems.join('; ')}`, { details: { problems } });
}

function createModel(open: OpenGraph, graph: GraphDeclaration): Model {
  const widths = toWidths(graph);
  const { provider, fallbacks, batchShapes } = open;
  const score = createMicroBatcher(
    { together: (rows) => runAll(open.run, rows, widths), apart: (rows) => runAll(open.runApart, rows, widths) },
    widths,
  );
  return {
    provider,
    fallbacks,
    batchShapes,
    async score(rows, lane = '') {
      // Checked per caller: one caller's mistake must not fail the others in its batch.
      if (rows.length % widths.features !== 0) {
        throw new AppError('contract_violation', `${rows.length} numbers are no rows of ${widths.features} features`);
      }
      if (rows.length === 0) return { results: new Float32Array(0), failures: NO_FAILURES };
      return score(rows, lane);
    },
    release: () => open.release(),
  };
}

/** Runs of a bounded size, so that each has the same time and memory. */
async function runAll(
  run: OpenGraph['run'],
  rows: Float32Array,
  { features, heads }: { readonly features: number; readonly heads: number },
): Promise<RunResult> {
  const count = rows.length / features;
  if (count <= BATCH_ROWS_MAX) return run(rows);
  const results = new Float32Array(count * heads);
  let cpuMs = 0;
  for (let start = 0; start < count; start += BATCH_ROWS_MAX) {
    const found = await run(rows.subarray(start * features, (start + BATCH_ROWS_MAX) * features));
    if ('failure' in found) return found;
    results.set(found.results, start * heads);
    cpuMs = Math.max(cpuMs, found.cpuMs ?? 0);
  }
  return { results, cpuMs };
}
