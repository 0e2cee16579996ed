import { bytes, integer } from './protobuf.js';

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

const FLOAT = 1;
const INT64 = 7;
const IR_VERSION = 8;
const OPSET = 13;

/** An ONNX graph for tests, with one input `features` of shape [rows, features]. */
export function createTinyGraph(features: number, outputs: readonly TinyOutput[]): Buffer {
  const nodes = [
    node('IsNaN', ['features'], 'missing'),
    node('Where', ['missing', 'zero', 'features'], 'known'),
    ...outputs.flatMap(toNodes),
  ];
  const constants = [floats('zero', [], [0]), ...outputs.flatMap((output) => toConstants(output, features))];
  const graph = [
    ...nodes.map((encoded) => bytes(1, encoded)),
    bytes(2, 'tiny'),
    ...constants.map((encoded) => bytes(5, encoded)),
    bytes(11, toTensorInfo('features', features)),
    ...outputs.map(({ name, isFlat, columns }) => bytes(12, toTensorInfo(name, isFlat ? undefined : columns.length))),
  ];
  return Buffer.concat([integer(1, IR_VERSION), bytes(8, integer(2, OPSET)), bytes(7, ...graph)]);
}

function toNodes({ name, isFlat, isProbability }: TinyOutput): Buffer[] {
  const last = isFlat ? `${name}.table` : name;
  const sum = isProbability ? `${name}.sum` : last;
  return [
    node('MatMul', ['known', `${name}.weights`], `${name}.product`),
    node('Add', [`${name}.product`, `${name}.constants`], sum),
    ...(isProbability ? [node('Sigmoid', [sum], last)] : []),
    ...(isFlat ? [node('Squeeze', [last, `${name}.axis`], name)] : []),
  ];
}

function toConstants({ name, columns }: TinyOutput, features: number): Buffer[] {
  const weights = Array.from({ length: features }, (_, feature) =>
    columns.map((column) => column.weights?.[feature] ?? 0),
  );
  const axis = [integer(1, 1), integer(2, INT64), integer(7, 1), bytes(8, `${name}.axis`)];
  return [
    floats(`${name}.weights`, [features, columns.length], weights.flat()),
    floats(
      `${name}.constants`,
      [columns.length],
      columns.map(({ constant }) => constant),
    ),
    Buffer.concat(axis),
  ];
}

function node(operator: string, inputs: readonly string[], output: string): Buffer {
  return Buffer.concat([...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(4, operator)]);
}

function floats(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => void raw.writeFloatLE(value, 4 * index));
  return Buffer.concat([...shape.map((size) => integer(1, size)), integer(2, FLOAT), bytes(8, name), bytes(9, raw)]);
}

/** A float tensor of shape [rows], or [rows, columns]. */
function toTensorInfo(name: string, columns: number | undefined): Buffer {
  const rows = bytes(1, bytes(2, 'rows'));
  const shape = columns === undefined ? [rows] : [rows, bytes(1, integer(1, columns))];
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, integer(1, FLOAT), bytes(2, ...shape)))]);
}
