import { parseTopic, type TopicName } from '@perennial/contracts';
import type { StateWrapper } from '@perennial/contracts/internals';
import type { ProcessorDefinition } from '@perennial/keyed-processor';

/*
 * Releases of the processors that there never were, made of the present one. The first, `reads`, reads the state version after
 * the present one, and writes the present one. The second, `writes`, writes it, and a protobuf field that the present one does
 * not know, in its records. This is the order in which a version of states has to be brought in.
 */

export const RELEASES = ['reads', 'writes'] as const;
export type Release = (typeof RELEASES)[number];

/** Marks, in a state's first byte, the version that comes after the present one; no version of ours is this high. */
const NEXT_VERSION_BIT = 0x80;
/** What the version after the present one has more than the present one: a byte at its end. */
const ADDED_BYTE = 7;
/** Field 2047, a string, of a protobuf message: tag, length, text. */
const ADDED_FIELD = Buffer.of(0xfa, 0x7f, 3, ...Buffer.from('new'));
const WIDENED_TOPICS: ReadonlySet<TopicName> = new Set(['featureUpdated', 'scoreComputed']);

/** A state as the present release would have written it, so that the states of a run that was upgraded can be compared. */
export function toPresentState(bytes: Buffer): Buffer {
  const version = bytes[0] ?? 0;
  if ((version & NEXT_VERSION_BIT) === 0) return bytes;
  return Buffer.concat([Buffer.of(version & ~NEXT_VERSION_BIT), bytes.subarray(1, -1)]);
}

function toNextState(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((bytes[0] ?? 0) | NEXT_VERSION_BIT), bytes.subarray(1), Buffer.of(ADDED_BYTE)]);
}

/** How a release reads and writes states. `onWritten` hears of each state in the next version. */
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
