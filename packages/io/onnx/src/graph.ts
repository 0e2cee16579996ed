import { must } from '@perennial/kernel';
import type { RunResult } from './results.js';
import type { InferenceSession } from './runtime.js';

/** A declared tensor: `null` is the number of rows, which varies. */
interface TensorDeclaration {
  readonly name: string;
  readonly dtype: string;
  readonly shape: ReadonlyArray<number | null>;
}

/** The source of one number of a row's result: a column (from 0) of an output tensor. */
export interface ResultColumn {
  readonly output: string;
  readonly column: number;
}

/** The requirements on a graph: one input of rows of features, and the numbers to be read from its outputs. */
export interface GraphDeclaration {
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
  /** In the order of the results. */
  readonly heads: readonly ResultColumn[];
}

/** All differences between the graph's tensors and the declaration. */
export function listTensorProblems(graph: GraphDeclaration, session: InferenceSession): string[] {
  const undeclared = session.inputMetadata.filter(({ name }) => !graph.inputs.some((tensor) => tensor.name === name));
  return [
    ...compareTensors('input', graph.inputs, session.inputMetadata),
    ...undeclared.map(({ name }) => `input ${name} of the graph is not declared`),
    ...compareTensors('output', graph.outputs, session.outputMetadata),
  ];
}

function compareTensors(
  what: 'input' | 'output',
  declared: readonly TensorDeclaration[],
  actual: readonly InferenceSession.ValueMetadata[],
): string[] {
  return declared.flatMap((tensor) => {
    const found = actual.find(({ name }) => name === tensor.name);
    if (found === undefined || !found.isTensor) return [`${what} ${tensor.name} is declared but not in the graph`];
    const problems: string[] = [];
    if (found.type !== tensor.dtype) problems.push(`${what} ${tensor.name} is ${found.type}, declared ${tensor.dtype}`);
    const shape = JSON.stringify(found.shape.map((size) => (typeof size === 'number' && size > 0 ? size : null)));
    const wanted = JSON.stringify(tensor.shape);
    if (shape !== wanted) problems.push(`${what} ${tensor.name} has shape ${shape}, declared ${wanted}`);
    return problems;
  });
}

/** How many inputs (features) and results (heads) one row has. */
export interface RowWidths {
  readonly features: number;
  readonly heads: number;
}

export function toWidths({ inputs, heads }: GraphDeclaration): RowWidths {
  return { features: must(inputs[0]?.shape[1], 'the width of the input'), heads: heads.length };
}

/**
 * The numbers of each row one after the other, in the order of the heads; a failure for an output that does not have a
 * number for each row.
 */
export function readResults(
  found: InferenceSession.OnnxValueMapType,
  heads: readonly ResultColumn[],
  rows: number,
): RunResult {
  const results = new Float32Array(rows * heads.length);
  for (const [head, { output, column }] of heads.entries()) {
    const tensor = found[output];
    const data = tensor?.data;
    if (tensor === undefined || !(data instanceof Float32Array)) {
      return { failure: { reason: 'shape', message: `output ${output} has no float32 numbers` } };
    }
    const columns = tensor.dims.length === 1 ? 1 : (tensor.dims[1] ?? 0);
    if (tensor.dims[0] !== rows || data.length !== rows * columns || column >= columns) {
      const message = `output ${output} has shape ${JSON.stringify(tensor.dims)} for ${rows} rows`;
      return { failure: { reason: 'shape', message } };
    }
    for (let row = 0; row < rows; row++) results[row * heads.length + head] = data[row * columns + column] as number;
  }
  return { results };
}
