import type { ProcessorDefinition } from '@perennial/keyed-processor';

/** States of a given size with opaque content: for measuring how fast snapshots and restores move bytes. */
export function createOpaqueDefinition(at: {
  name: string;
  inputTopic: string;
}): ProcessorDefinition<Buffer, Buffer | null> {
  return {
    name: at.name,
    inputTopic: at.inputTopic,
    sources: [],
    codec: { encode: (state) => state, decode: (bytes) => bytes, timerAtMs: (state) => state.readUInt32LE() },
    decode: ({ key, value }) => ({ kind: 'record', key: String(key), input: value }),
    forward: () => undefined,
    step({ state, cause }) {
      if (cause.kind === 'timer' || cause.input === null) return { state, outputs: [] };
      return { state: cause.input, outputs: [] };
    },
  };
}

/**
 * A state that begins with its due time; half of it is noise, half compresses, as with the shipped services' states.
 */
export function createOpaqueState(bytes: number, random: () => number): Buffer {
  const state = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes / 2; at += 4) state.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return state;
}
