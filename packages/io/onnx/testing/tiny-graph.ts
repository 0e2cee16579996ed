import { encodeFloats, encodeGraph, encodeInfo, encodeInts, encodeModel, encodeNode } from './encode-graph.js';

/** One output tensor: each column is a weighted sum of the features plus a constant; a missing feature counts as 0. */
export interface TinyOutput {
  readonly name: string;
  /** Shape [rows], for a single column; otherwise [rows, columns]. */
  readonly isFlat?: boolean;
  /** Applies the logistic function, so that each value is from 0 to 1. */
  readonly isProbability?: boolean;
  readonly columns: readonly TinyColumn[];
}

export interface TinyColumn {
  readonly constant: number;
  /** Weights by feature index; absent features have weight 0. */
  readonly weights?: Readonly<Record<number, number>>;
}

/** An ONNX graph for tests, with one input `features` of shape [rows, features]. */
export function createTinyGraph(features: number, outputs: readonly TinyOutput[]): Buffer {
  return encodeModel(
    encodeGraph({
      nodes: [
        encodeNode('IsNaN', ['features'], 'missing'),
        encodeNode('Where', ['missing', 'zero', 'features'], 'known'),
        ...outputs.flatMap(toNodes),
      ],
      constants: [encodeFloats('zero', [], [0]), ...outputs.flatMap((output) => toConstants(output, features))],
      inputs: [encodeInfo('features', 'float', ['rows', features])],
      outputs: outputs.map(({ name, isFlat, columns }) =>
        encodeInfo(name, 'float', isFlat ? ['rows'] : ['rows', columns.length]),
      ),
    }),
  );
}

function toNodes({ name, isFlat, isProbability }: TinyOutput): Buffer[] {
  const last = isFlat ? `${name}.table` : name;
  const sum = isProbability ? `${name}.sum` : last;
  return [
    encodeNode('MatMul', ['known', `${name}.weights`], `${name}.product`),
    encodeNode('Add', [`${name}.product`, `${name}.constants`], sum),
    ...(isProbability ? [encodeNode('Sigmoid', [sum], last)] : []),
    ...(isFlat ? [encodeNode('Squeeze', [last, `${name}.axis`], name)] : []),
  ];
}

function toConstants({ name, columns }: TinyOutput, features: number): Buffer[] {
  const weights = Array.from({ length: features }, (_, feature) =>
    columns.map((column) => column.weights?.[feature] ?? 0),
  );
  const constants = columns.map(({ constant }) => constant);
  return [
    encodeFloats(`${name}.weights`, [features, columns.length], weights.flat()),
    encodeFloats(`${name}.constants`, [columns.length], constants),
    encodeInts(`${name}.axis`, [1], [1]),
  ];
}
