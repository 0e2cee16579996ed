/** A field of a protobuf message: a number (`value`), or a message, text or bytes (`bytes`). */
export interface Field {
  readonly number: number;
  readonly value: number | undefined;
  readonly bytes: Buffer | undefined;
}

/** The fields of a message, in order. Throws a RangeError for bytes that are no protobuf. */
export function* readFields(message: Buffer): Generator<Field> {
  const at = { offset: 0 };
  while (at.offset < message.length) {
    const tag = readVarint(message, at);
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: readVarint(message, at), bytes: undefined };
        break;
      case 1:
        skip(message, at, 8);
        break;
      case 2: {
        const length = readVarint(message, at);
        const start = at.offset;
        skip(message, at, length);
        yield { number, value: undefined, bytes: message.subarray(start, at.offset) };
        break;
      }
      case 5:
        skip(message, at, 4);
        break;
      default:
        throw new RangeError(`wire type ${tag % 8}`);
    }
  }
}

function skip(message: Buffer, at: { offset: number }, bytes: number): void {
  if (bytes > message.length - at.offset) throw new RangeError('the message ends too soon');
  at.offset += bytes;
}

/** Up to 10 bytes; what is beyond 2^53 is rounded, which is of no use here but no harm either. */
function readVarint(message: Buffer, at: { offset: number }): number {
  let value = 0;
  for (let place = 0; place < 10; place++) {
    const byte = message[at.offset++];
    if (byte === undefined) throw new RangeError('the message ends too soon');
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) return value;
  }
  throw new RangeError('a number of more than 10 bytes');
}
