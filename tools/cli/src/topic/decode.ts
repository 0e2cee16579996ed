import { AcceptedRecord, FeatureRecord, type FeaturesUpdated, ScoreRecord, type TopicName } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import type { LogRecord } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';

/** A value in readable form; `kind` is the case of a record with several (event, tick, rollout ...). */
export interface Decoded {
  readonly kind: string;
  readonly value: unknown;
}

type Decoder = (bytes: Buffer) => { record: { $case: string; value: unknown } | undefined };

const PROTOBUF: Partial<Record<TopicName, Decoder>> = {
  eventAccepted: (bytes) => AcceptedRecord.decode(bytes),
  featureUpdated: (bytes) => FeatureRecord.decode(bytes),
  scoreComputed: (bytes) => ScoreRecord.decode(bytes),
};

/** Kinds that control the platform and are not about a profile. */
export const CONTROL_KINDS: readonly string[] = ['tick', 'rollout'];

/** A record's value; for one that cannot be read, why not. */
export function decodeRecord(
  topic: TopicName | undefined,
  { value, unreadable }: Pick<LogRecord, 'value' | 'unreadable'>,
): Decoded {
  return unreadable === undefined ? decodeValue(topic, value) : { kind: 'unreadable', value: unreadable };
}

/** Protobuf by topic, else JSON, else hex. Damaged Protobuf is shown as hex with the reason, never thrown. */
export function decodeValue(topic: TopicName | undefined, bytes: Buffer | null): Decoded {
  if (bytes === null) return { kind: 'tombstone', value: null };
  const decoder = topic === undefined ? undefined : PROTOBUF[topic];
  if (decoder === undefined) return parseJson(bytes) ?? { kind: 'bytes', value: bytes.toString('hex') };
  try {
    const { record } = decoder(bytes);
    if (record === undefined) throw new Error('none of the known kinds of record');
    return { kind: record.$case, value: toReadable(record.value) };
  } catch (error) {
    return { kind: 'undecodable', value: { reason: toMessage(error), hex: bytes.toString('hex') } };
  }
}

/** Times as ISO 8601, embedded JSON as JSON, features by name, other bytes as base64. */
function toReadable(value: unknown, name = ''): unknown {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return name.endsWith('Json') ? (parseJson(bytes)?.value ?? bytes.toString('utf8')) : bytes.toString('base64');
  }
  if (typeof value === 'number') return toReadableNumber(value, name);
  if (Array.isArray(value)) return value.map((entry) => toReadable(entry));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  const readable = Object.fromEntries(entries.map(([key, entry]) => [key, toReadable(entry, key)]));
  return isFeatures(value) ? { ...readable, values: toNamedFeatures(value) } : readable;
}

function toReadableNumber(value: number, name: string): number | string | null {
  if (Number.isNaN(value)) return null;
  const isTime = name.endsWith('Ms') && value > 0 && value < 8.64e15;
  return isTime ? new Date(value).toISOString() : value;
}

function isFeatures(value: object): value is FeaturesUpdated {
  return 'specHash' in value && 'values' in value;
}

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);

/** By name where the vector was made under the spec that this build knows, else as a list. */
function toNamedFeatures({ specHash, values }: FeaturesUpdated): unknown {
  const readable = values.map((value) => (Number.isNaN(value) ? null : value));
  const spec = SPECS.find(specHash);
  return spec === undefined ? readable : spec.toMap(readable);
}

function parseJson(bytes: Buffer): Decoded | undefined {
  try {
    return { kind: 'json', value: JSON.parse(bytes.toString('utf8')) as unknown };
  } catch {
    // Arbitrary client bytes: shown as they are.
    return undefined;
  }
}
