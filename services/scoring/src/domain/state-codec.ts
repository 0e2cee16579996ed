import { BinaryReader, type BinaryWriter } from '@bufbuild/protobuf/wire';
import { defineState, encodeMessage } from '@perennial/contracts';
import { type AttributeValue, type FeatureSpecs, toSpecTag } from '@perennial/feature-engine';
import type { StateCodec } from '@perennial/keyed-processor';
import type { SegmentState, Since } from '@perennial/segments';
import { createHashCodec, type HashCodec } from './hash-codec.js';
import type { ProfileScores, ScoringState } from './state.js';

const VERSION = 3;
const HAS_STAGE = 1;
const HAS_CHECK = 2;
const HAS_SCORES = 4;
const HAS_SEGMENTS = 8;
const HAS_ATTRIBUTES = 16;
const HAS_TAGS = 32;

/** Encoding of a value. Most are small counts or absent: 18 values take about 60 bytes instead of 144. */
const KIND = { none: 0, integer: 1, double: 2 } as const;
/** Three encodings of two bits each: a varint of one byte. */
const KINDS_PER_BYTE = 3;
const UINT32_MAX = 0xffff_ffff;

/** Codec of profile states. Each names the spec of its vector, so that it is never read under another spec. */
export function createScoringStateCodec(specs: FeatureSpecs): StateCodec<ScoringState> {
  const hashes = createHashCodec();
  const readScores = (reader: BinaryReader) => readScoresOf(reader, hashes);
  const format = defineState({
    name: 'scoring state',
    current: VERSION,
    versions: {
      1: (bytes) => read(bytes, { specs, scoresOf: skipNamelessScores }),
      // Without segments: their flag is not set.
      2: (bytes) => read(bytes, { specs, scoresOf: readScores }),
      [VERSION]: (bytes) => read(bytes, { specs, scoresOf: readScores }),
    },
    encode: (state: ScoringState) => encodeMessage({ encode: (given, writer) => write(given, writer, hashes) }, state),
  });
  return { ...format, timerAtMs: (state) => state.nextCheckAtMs };
}

function write(state: ScoringState, writer: BinaryWriter, hashes: HashCodec): BinaryWriter {
  writer.uint32(VERSION).fixed32(toSpecTag(state.specHash)).double(state.asOfMs).double(state.lastEventAtMs);
  writer.bytes(state.subject).string(state.timeZone);
  writeValues(writer, state.values);
  writer.uint32(
    (state.stage === undefined ? 0 : HAS_STAGE) |
      (state.nextCheckAtMs === undefined ? 0 : HAS_CHECK) |
      (state.scores === undefined ? 0 : HAS_SCORES) |
      (state.segments === undefined ? 0 : HAS_SEGMENTS) |
      (state.attributes.length === 0 ? 0 : HAS_ATTRIBUTES) |
      (state.tags === undefined ? 0 : HAS_TAGS),
  );
  if (state.stage !== undefined) {
    writer.string(state.stage.stage).double(state.stage.sinceMs).uint32(state.stage.number);
  }
  if (state.nextCheckAtMs !== undefined) writer.double(state.nextCheckAtMs);
  if (state.scores !== undefined) writeScores(writer, state.scores, hashes);
  if (state.segments !== undefined) writeSegments(writer, state.segments);
  if (state.attributes.length > 0) writer.string(JSON.stringify(state.attributes));
  if (state.tags !== undefined) writer.string(state.tags.join(','));
  return writer;
}

interface ReadOptions {
  readonly specs: FeatureSpecs;
  readonly scoresOf: (reader: BinaryReader) => ProfileScores | undefined;
}

function read(bytes: Buffer, { specs, scoresOf }: ReadOptions): ScoringState {
  const reader = new BinaryReader(bytes);
  reader.uint32();
  const specHash = specs.expandTag(reader.fixed32());
  const asOfMs = reader.double();
  const lastEventAtMs = reader.double();
  const subject = Buffer.from(reader.bytes());
  const timeZone = reader.string();
  const values = readValues(reader);
  const flags = reader.uint32();
  const stage =
    flags & HAS_STAGE ? { stage: reader.string(), sinceMs: reader.double(), number: reader.uint32() } : undefined;
  const nextCheckAtMs = flags & HAS_CHECK ? reader.double() : undefined;
  const scores = flags & HAS_SCORES ? scoresOf(reader) : undefined;
  const segments = flags & HAS_SEGMENTS ? readSegments(reader) : undefined;
  const attributes = flags & HAS_ATTRIBUTES ? (JSON.parse(reader.string()) as readonly AttributeValue[]) : [];
  const tags = flags & HAS_TAGS ? reader.string().split(',') : undefined;
  if (reader.pos !== reader.len) throw new Error(`${reader.len - reader.pos} bytes are left over`);
  return {
    ...{ asOfMs, specHash, values, attributes, lastEventAtMs, subject, timeZone },
    ...{ stage, nextCheckAtMs, scores, segments },
    ...(tags && { tags }),
  };
}

function writeScores(writer: BinaryWriter, { modelHash, values }: ProfileScores, hashes: HashCodec): void {
  writer.bytes(hashes.toBytes(modelHash)).uint32(values.length);
  for (const value of values) writer.float(value);
}

function readScoresOf(reader: BinaryReader, hashes: HashCodec): ProfileScores {
  const modelHash = hashes.toHex(reader.bytes());
  const count = reader.uint32();
  const values: number[] = [];
  while (values.length < count) values.push(reader.float());
  return { modelHash, values };
}

function writeSegments(writer: BinaryWriter, { number, members, waiting }: SegmentState): void {
  writer.uint32(number);
  for (const list of [members, waiting]) {
    writer.uint32(list.length);
    for (const { name, sinceMs } of list) writer.string(name).double(sinceMs);
  }
}

function readSegments(reader: BinaryReader): SegmentState {
  return { number: reader.uint32(), members: readSince(reader), waiting: readSince(reader) };
}

function readSince(reader: BinaryReader): Since[] {
  const count = reader.uint32();
  const list: Since[] = [];
  while (list.length < count) list.push({ name: reader.string(), sinceMs: reader.double() });
  return list;
}

/** Version 1 stored three numbers without the hash of their model: the next record computes new scores. */
function skipNamelessScores(reader: BinaryReader): undefined {
  for (let number = 0; number < 3; number++) reader.float();
}

function writeValues(writer: BinaryWriter, values: readonly number[]): void {
  writer.uint32(values.length);
  for (let start = 0; start < values.length; start += KINDS_PER_BYTE) {
    const end = Math.min(values.length, start + KINDS_PER_BYTE);
    let kinds = 0;
    for (let at = start; at < end; at++) kinds |= toKind(values[at] as number) << ((at - start) * 2);
    writer.uint32(kinds);
    for (let at = start; at < end; at++) {
      const value = values[at] as number;
      const kind = toKind(value);
      if (kind === KIND.integer) writer.uint32(value);
      else if (kind === KIND.double) writer.double(value);
    }
  }
}

function readValues(reader: BinaryReader): number[] {
  const count = reader.uint32();
  const values: number[] = [];
  while (values.length < count) {
    const kinds = reader.uint32();
    for (let place = 0; place < KINDS_PER_BYTE && values.length < count; place++) {
      const kind = (kinds >> (place * 2)) & 3;
      if (kind === KIND.integer) values.push(reader.uint32());
      else if (kind === KIND.double) values.push(reader.double());
      else values.push(Number.NaN);
    }
  }
  return values;
}

function toKind(value: number): number {
  if (Number.isNaN(value)) return KIND.none;
  const isSmall = Number.isInteger(value) && value >= 0 && value <= UINT32_MAX && !Object.is(value, -0);
  return isSmall ? KIND.integer : KIND.double;
}
