import { AcceptedRecord, encodeControl, toControl } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import type { PositionSource, ProcessorDefinition } from '@perennial/keyed-processor';

/** How often a profile was seen: the smallest state that a keyed processor can keep. */
type Seen = number;

/**
 * A step that only forwards its record: the baseline for the real pipeline. Bytes pass through unchanged, so every
 * stage reads what ingest wrote.
 */
export function createEmptyDefinition(at: {
  name: string;
  inputTopic: string;
  sources: readonly PositionSource[];
  outputTopic: string;
}): ProcessorDefinition<Seen, Buffer> {
  return {
    name: at.name,
    inputTopic: at.inputTopic,
    sources: at.sources,
    codec: {
      encode: (state) => {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleLE(state);
        return bytes;
      },
      decode: (bytes) => bytes.readDoubleLE(),
      timerAtMs: () => undefined,
    },
    decode({ key, value }) {
      const bytes = must(value, 'value');
      if (key !== null) return { kind: 'record', key: key.toString(), input: bytes };
      const { record } = AcceptedRecord.decode(bytes);
      const control = toControl(record);
      if (control !== undefined) return control;
      throw new Error('a record without a key that is no control record');
    },
    forward: (control) => ({ topic: at.outputTopic, value: encodeControl(AcceptedRecord, control) }),
    step({ state, cause }) {
      if (cause.kind === 'timer') return { state, outputs: [] };
      return { state: (state ?? 0) + 1, outputs: [{ topic: at.outputTopic, value: cause.input }] };
    },
  };
}
