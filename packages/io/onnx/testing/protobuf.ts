/** The subset of protobuf that an ONNX file needs: a field is a tag and its bytes, a message is a list of fields. */

/** A whole number as a varint. */
export function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A text, bytes, or a message made of fields. */
export function bytes(field: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const found: number[] = [];
  let left = value;
  while (left > 0x7f) {
    found.push((left % 128) | 0x80);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...found, left]);
}
