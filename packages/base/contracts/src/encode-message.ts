import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A generated message type. */
export interface MessageType<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter;
}

let writer = new BinaryWriter();

/**
 * The bytes of a message. All messages share one writer: a new writer grows its buffer from 64 bytes for every message
 * and takes twice as long (8.9 against 4.0 us for a score). Throws what the generated code throws for a value out of
 * range.
 */
export function encodeMessage<T>(type: MessageType<T>, message: T): Buffer {
  try {
    return takeBytes(type.encode(message, writer));
  } catch (error) {
    // The writer holds an incomplete message.
    writer = new BinaryWriter();
    throw error;
  }
}

/** What a writer has inside, in the version that package.json pins; a test compares the bytes. */
interface WriterInside {
  readonly buffer: Uint8Array;
  pos: number;
}

/** As `finish` does, but into Node's pool: memory of its own for each message costs the garbage collector more than the bytes do. */
function takeBytes(written: BinaryWriter): Buffer {
  const inside = written as unknown as WriterInside;
  const bytes = Buffer.allocUnsafe(inside.pos);
  bytes.set(inside.buffer.subarray(0, inside.pos));
  inside.pos = 0;
  return bytes;
}
