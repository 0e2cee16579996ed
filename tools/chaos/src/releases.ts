import { AcceptedRecord, encodeMessage, parseTopic, ScoreRecord, type TopicName } from '@perennial/contracts';
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
  if (!isNextState(bytes)) return bytes;
  return Buffer.concat([Buffer.of((bytes[0] ?? 0) & ~NEXT_VERSION_BIT), bytes.subarray(1, -1)]);
}

function isNextState(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & NEXT_VERSION_BIT) !== 0;
}

/** What a processor writes for others, in a topic, as the present release writes it. */
export function toPresentRecord(topic: TopicName, bytes: Buffer): Buffer {
  const place = bytes.length - ADDED_FIELD.length;
  const isWider = place >= 0 && bytes.subarray(place).equals(ADDED_FIELD);
  return withPresentState(topic, isWider ? bytes.subarray(0, place) : bytes);
}

/** A profile that joins another one is handed over as a state. */
function withPresentState(topic: TopicName, bytes: Buffer): Buffer {
  if (topic === 'eventAccepted') {
    const { record } = AcceptedRecord.decode(bytes);
    if (record?.$case !== 'handOver' || !isNextState(record.value.state)) return bytes;
    const value = { ...record.value, state: toPresentState(record.value.state) };
    return encodeMessage(AcceptedRecord, { record: { ...record, value } });
  }
  if (topic !== 'scoreComputed') return bytes;
  const { record } = ScoreRecord.decode(bytes);
  if (record?.$case !== 'handOver' || !isNextState(record.value.state)) return bytes;
  const value = { ...record.value, state: toPresentState(record.value.state) };
  return encodeMessage(ScoreRecord, { record: { ...record, value } });
}

function toNextState(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((bytes[0] ?? 0) | NEXT_VERSION_BIT), bytes.subarray(1), Buffer.of(ADDED_BYTE)]);
}

/**
 * How a release reads and writes states. A state within another one, as that of a profile within what is stored of its
 * joins, stays as it is: the whole has the next version, and nothing but its own bytes tells where its parts begin.
 * `onWritten` is called for each state written in the next version.
 */
export function toStateWrapper(release: Release, onWritten: () => void): StateWrapper {
  let depth = 0;
  return (coding) => ({
    decode: (bytes) => coding.decode(toPresentState(bytes)),
    encode(state) {
      depth++;
      try {
        const bytes = coding.encode(state);
        if (release === 'reads' || depth > 1) return bytes;
        onWritten();
        return toNextState(bytes);
      } finally {
        depth--;
      }
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
