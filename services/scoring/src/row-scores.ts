import { checkScores, type ModelManifest } from '@perennial/model-manifest';
import type { FailureReason, ScoredRows } from '@perennial/onnx';

/** Why a row has no score: what the graph did, or numbers out of the range of their head. */
export type RowFailureReason = FailureReason | 'range';

/** One row's numbers in the order of the heads, or why it has none. */
export type RowScores =
  | { readonly values: readonly number[] }
  | { readonly reason: RowFailureReason; readonly problem: string };

/** A row of a model's results, checked. The problem has no measured value in it: it is the same each time. */
export function readRow(
  manifest: Pick<ModelManifest, 'name' | 'heads'>,
  { results, failures }: ScoredRows,
  row: number,
): RowScores {
  const failure = failures.get(row);
  if (failure !== undefined) {
    const { reason, message } = failure;
    return { reason, problem: `the model ${manifest.name} failed on this row (${reason}): ${message}` };
  }
  const heads = manifest.heads.length;
  const checked = checkScores(manifest, results.subarray(row * heads, (row + 1) * heads));
  return 'problem' in checked ? { reason: 'range', problem: checked.problem } : checked;
}
