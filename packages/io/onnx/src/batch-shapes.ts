/**
 * The numbers of rows with which a model may be run. Vectorised kernels process the last few elements of a tensor
 * differently, so a row's last bits depend on the batch size: of the sizes 1 to 300, 55 gave other bits for some row of
 * the default model. Sizes that are multiples of 4 never did; 16 is a multiple of every vector width in use (AVX-512:
 * 16 floats).
 */
export const ROW_MULTIPLE = 16;

/** Largest batch of one run; more rows are split. Throughput stops growing well below this. */
export const BATCH_ROWS_MAX = 512;

/** The only shape for a provider (or model) that compiles each shape or gives other bits for each. */
const FIXED_ROWS = 256;

export type BatchShapes = 'multiples' | 'fixed';

/** A run of the model: rows `start` to `start + count` of the batch, padded with zeros to `shape`. */
export interface BatchPart {
  readonly start: number;
  readonly count: number;
  readonly shape: number;
}

/** Cuts a batch into runs of allowed shapes. */
export function splitBatch(rows: number, shapes: BatchShapes): BatchPart[] {
  const parts: BatchPart[] = [];
  const rowsMax = shapes === 'fixed' ? FIXED_ROWS : BATCH_ROWS_MAX;
  for (let start = 0; start < rows; start += rowsMax) {
    const count = Math.min(rowsMax, rows - start);
    const shape = shapes === 'fixed' ? FIXED_ROWS : Math.ceil(count / ROW_MULTIPLE) * ROW_MULTIPLE;
    parts.push({ start, count, shape });
  }
  return parts;
}
