import { bytes, integer } from './protobuf.js';

/** Parts of an ONNX file, encoded by the field numbers of onnx.proto. */

const TYPES = { float: 1, int64: 7, bool: 9 } as const;
const IR_VERSION = 8;
const OPSET = 13;

export type Dtype = keyof typeof TYPES;

export interface GraphParts {
  readonly nodes: readonly Buffer[];
  readonly constants?: readonly Buffer[];
  readonly inputs?: readonly Buffer[];
  readonly outputs: readonly Buffer[];
}

export function encodeModel(graph: Buffer, opset = OPSET): Buffer {
  return Buffer.concat([integer(1, IR_VERSION), bytes(8, integer(2, opset)), bytes(7, graph)]);
}

export function encodeGraph({ nodes, constants = [], inputs = [], outputs }: GraphParts): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => bytes(1, node)),
    bytes(2, 'graph'),
    ...constants.map((constant) => bytes(5, constant)),
    ...inputs.map((input) => bytes(11, input)),
    ...outputs.map((output) => bytes(12, output)),
  ]);
}

export function encodeNode(
  operator: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: readonly Buffer[] = [],
): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => bytes(1, input)),
    ...[outputs].flat().map((output) => bytes(2, output)),
    bytes(4, operator),
    ...attributes.map((attribute) => bytes(5, attribute)),
  ]);
}

export function encodeGraphAttribute(name: string, graph: Buffer): Buffer {
  return Buffer.concat([bytes(1, name), bytes(6, graph), integer(20, 5)]);
}

export function encodeIntAttribute(name: string, value: number): Buffer {
  return Buffer.concat([bytes(1, name), integer(3, value), integer(20, 2)]);
}

export function encodeIntsAttribute(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([bytes(1, name), ...values.map((value) => integer(8, value)), integer(20, 7)]);
}

export function encodeFloats(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => void raw.writeFloatLE(value, 4 * index));
  return encodeTensor({ name, dtype: 'float', shape }, raw);
}

export function encodeZeros(name: string, shape: readonly number[]): Buffer {
  return encodeTensor({ name, dtype: 'float', shape }, Buffer.alloc(4 * shape.reduce((size, next) => size * next, 1)));
}

export function encodeInts(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => void raw.writeBigInt64LE(BigInt(value), 8 * index));
  return encodeTensor({ name, dtype: 'int64', shape }, raw);
}

export function encodeTrue(name: string): Buffer {
  return encodeTensor({ name, dtype: 'bool', shape: [] }, Buffer.from([1]));
}

/** A tensor whose numbers lie in another file. */
export function encodeExternal(name: string, shape: readonly number[], path: string): Buffer {
  const location = bytes(13, bytes(1, 'location'), bytes(2, path));
  const head = [...shape.map((size) => integer(1, size)), integer(2, TYPES.float), bytes(8, name)];
  return Buffer.concat([...head, location, integer(14, 1)]);
}

function encodeTensor(
  { name, dtype, shape }: { readonly name: string; readonly dtype: Dtype; readonly shape: readonly number[] },
  raw: Buffer,
): Buffer {
  return Buffer.concat([
    ...shape.map((size) => integer(1, size)),
    integer(2, TYPES[dtype]),
    bytes(8, name),
    bytes(9, raw),
  ]);
}

/** An input or output; a text in its shape is a size that varies. */
export function encodeInfo(name: string, dtype: Dtype, shape: ReadonlyArray<number | string>): Buffer {
  const sizes = shape.map((size) => bytes(1, typeof size === 'number' ? integer(1, size) : bytes(2, size)));
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, integer(1, TYPES[dtype]), bytes(2, ...sizes)))]);
}
