import { parseTopic, type TopicName } from '@perennial/contracts';
import type { StateWrapper } from '@perennial/contracts/internals';
import type { ProcessorDefinition } from '@perennial/keyed-processor';

/*
 * Two future releases of the processors, derived from the present one. The first, `reads`, reads the next state
 * version, and still writes the present one. The second, `writes`, writes the next version, and adds a protobuf field
 * to its records that the present release does not know. This is the order in which a new version of states has to be
 * introduced.
 */

export const RELEASES = ['reads', 'writes'] as const;
export type Release = (typeof RELEASES)[number];

/** Marks the next version in a state's first byte; no real version is this high. */
const NEXT_VERSION_BIT = 0x80;
/** The addition of the next version to the present one: a byte at the end. */
const ADDED_BYTE = 7;
/** Field 2047, a string, of a protobuf message: tag, length, text. */
const ADDED_FIELD = Buffer.of(0xfa, 0x7f, 3, ...Buffer.from('new'));
const WIDENED_TOPICS: ReadonlySet<TopicName> = new Set(['featureUpdated', 'scoreComputed']);

/** Converts a state to the present version, so that the states of an upgraded run can be compared. */
export function toPresentState(bytes: Buffer): Buffer {
  const version = bytes[0] ?? 0;
  if ((version & NEXT_VERSION_BIT) === 0) return bytes;
  return Buffer.concat([Buffer.of(version & ~NEXT_VERSION_BIT), bytes.subarray(1, -1)]);
}

/** A record between services as the present release writes it. */
export function toPresentRecord(bytes: Buffer): Buffer {
  const place = bytes.length - ADDED_FIELD.length;
  return place >= 0 && bytes.subarray(place).equals(ADDED_FIELD) ? bytes.subarray(0, place) : bytes;
}

function toNextState(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((bytes[0] ?? 0) | NEXT_VERSION_BIT), bytes.subarray(1), Buffer.of(ADDED_BYTE)]);
}

/** How a release reads and writes states. `onWritten` is called for each state written in the next version. */
export function toStateWrapper(release: Release, onWritten: () => void): StateWrapper {
  return (coding) => ({
    decode: (bytes) => coding.decode(toPresentState(bytes)),
    encode(state) {
      const bytes = coding.encode(state);
      if (release === 'reads') return bytes;
      onWritten();
      return toNextState(bytes);
    },
  });
}

/** The processor as the release that writes a new field in its records. */
export function withAddedField<State, Input, Evidence>(
  definition: ProcessorDefinition<State, Input, Evidence>,
): ProcessorDefinition<State, Input, Evidence> {
  return {
    ...definition,
    step(item, evidence) {
      const { state, outputs } = definition.step(item, evidence);
      const widened = outputs.map((output) =>
        isWidened(output.topic) ? { ...output, value: Buffer.concat([output.value, ADDED_FIELD]) } : output,
      );
      return { state, outputs: widened };
    },
  };
}

function isWidened(name: string): boolean {
  const topic = parseTopic(name)?.topic;
  return topic !== undefined && WIDENED_TOPICS.has(topic);
}
