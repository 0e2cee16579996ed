import { defineState, type VersionedState } from '@perennial/contracts';
import type { EngineState, FeatureSpecs } from '@perennial/feature-engine';
import { assert } from '@perennial/kernel';
import { type About, decodeAbout, encodeAbout } from '@perennial/traits';
import type { AccountFacts, AccountState } from './account.js';
import type { ValueSeries } from './outliers.js';

/** State of one profile in the feature-store. Its time is that of its engine state, `engine.asOfMs`. */
export interface ProfileState {
  readonly engine: EngineState;
  /** The external id, sealed, from the newest event. */
  readonly subject: Buffer;
  /** IANA time zone from the newest event that has one, else ''. */
  readonly timeZone: string;
  /** Of its behaviour; 0 before any. */
  readonly lastEventAtMs: number;
  /** Beginning of the hash of the fill that `engine` holds; undefined before any. */
  readonly fill?: string | undefined;
  /** Under a spec that is being filled: the events since it was rolled out, without ids. */
  readonly beside?: EngineState | undefined;
  /** Keys of profiles that joined while a spec was filled and had all their events under it: they take no part. */
  readonly whole?: readonly string[] | undefined;
  /** Traits, accounts and newest events; undefined in a state from before they were kept, until its next event. */
  readonly about?: About | undefined;
  /** What its account has reported; undefined before. */
  readonly account?: AccountFacts | undefined;
  /** Of an account: its members. */
  readonly group?: AccountState | undefined;
  /** Newest values of the properties that a tracking plan has judged; undefined for none. */
  readonly outliers?: readonly ValueSeries[] | undefined;
  /** When a windowed value changes without an event: derived from `engine`, cached so that it is computed once. */
  readonly validUntilMs: number | undefined;
}

/** False for a profile of which only tags are known, what others report, or events that were taken back before they came. */
export function hadEvents(state: ProfileState | undefined): state is ProfileState {
  return state !== undefined && state.lastEventAtMs > 0;
}

const FORMAT_VERSION = 2;
const HEAD_BYTES = 12;

/** Hex digits of a fill's hash that a state remembers. */
export const FILL_TAG_DIGITS = 16;
const FILL_TAG_BYTES = FILL_TAG_DIGITS / 2;

/** Bits of the byte before the engine's state: what else stands there. */
const HAS_FILL = 1;
const HAS_BESIDE = 2;
const HAS_ABOUT = 4;
const HAS_WHOLE = 8;
const HAS_ACCOUNT = 16;
const HAS_GROUP = 32;
const HAS_OUTLIERS = 64;
const KNOWN_PARTS = HAS_FILL | HAS_BESIDE | HAS_ABOUT | HAS_WHOLE | HAS_ACCOUNT | HAS_GROUP | HAS_OUTLIERS;

/**
 * Decodes states that are only served: the vector is computed by whoever serves it, at its time, and what it does not need of the engine's
 * part is decoded when it is first used. Such a state has no `validUntilMs`, and keeps its bytes.
 */
export function createServedStates(specs: FeatureSpecs): VersionedState<ProfileState> {
  return createStates(specs, {
    decodeEngine: (bytes) => specs.decodeToRead(bytes),
    toValidUntilMs: () => undefined,
  });
}

/** Codec of profile states. The engine's part is decoded under the spec that made it, whichever is in force now. */
export function createProfileStates(specs: FeatureSpecs): VersionedState<ProfileState> {
  return createStates(specs, {
    decodeEngine: (bytes) => specs.decode(bytes),
    toValidUntilMs: (engine) => specs.get(engine.specHash).vector(engine, engine.asOfMs).validUntilMs,
  });
}

interface Reading {
  readonly decodeEngine: (bytes: Buffer) => EngineState;
  readonly toValidUntilMs: (engine: EngineState) => number | undefined;
}

function createStates(specs: FeatureSpecs, reading: Reading): VersionedState<ProfileState> {
  return defineState({
    name: 'profile state',
    current: FORMAT_VERSION,
    versions: {
      1: (bytes) => decode(bytes, specs, { ...reading, hasParts: false }),
      2: (bytes) => decode(bytes, specs, { ...reading, hasParts: true }),
    },
    encode: (state) => encode(state, specs),
  });
}

/** A time zone's length is one byte. A sealed id has at most some 1,100 bytes. */
export const TIME_ZONE_BYTES_MAX = 0xff;
export const SUBJECT_BYTES_MAX = 2_048;
/** 2100: windows that move to a time far ahead take as long as there are tiles on the way. */
export const TIME_MS_MAX = Date.UTC(2100, 0);

/**
 * Layout: version (1 byte), length of the time zone (1), length of the subject (2), last event time (8, double), then time
 * zone, subject, a byte of bits, the fill (8), the state beside, what is known about the profile, then the keys of whole profiles,
 * what its account has reported, members and judged values (JSON), each with its length (4), and the engine's state to the end.
 * Version 1 has neither the bits nor what they stand for.
 */
function encode(state: ProfileState, specs: FeatureSpecs): Buffer {
  const timeZone = Buffer.from(state.timeZone);
  const isStorable = timeZone.length <= TIME_ZONE_BYTES_MAX && state.subject.length <= SUBJECT_BYTES_MAX;
  assert(isStorable, 'a record bounds time zone and id');
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(FORMAT_VERSION, 0);
  head.writeUInt8(timeZone.length, 1);
  head.writeUInt16BE(state.subject.length, 2);
  head.writeDoubleBE(state.lastEventAtMs, 4);
  const engine = specs.get(state.engine.specHash).encode(state.engine);
  return Buffer.concat([head, timeZone, state.subject, ...encodeParts(state, specs), engine]);
}

const NO_PARTS: Buffer[] = [Buffer.of(0)];

function encodeParts(
  { fill, beside, about, whole, account, group, outliers }: ProfileState,
  specs: FeatureSpecs,
): Buffer[] {
  const has = (value: unknown, bit: number) => (value === undefined ? 0 : bit);
  const bits =
    has(fill, HAS_FILL) |
    has(beside, HAS_BESIDE) |
    has(about, HAS_ABOUT) |
    has(whole, HAS_WHOLE) |
    has(account, HAS_ACCOUNT) |
    has(group, HAS_GROUP) |
    has(outliers, HAS_OUTLIERS);
  if (bits === 0) return NO_PARTS;
  return [
    Buffer.of(bits),
    ...(fill === undefined ? [] : [Buffer.from(fill, 'hex')]),
    ...(beside === undefined ? [] : withLength(specs.get(beside.specHash).encode(beside))),
    ...(about === undefined ? [] : withLength(encodeAbout(about))),
    ...[whole, account, group, outliers].flatMap((part) => (part === undefined ? [] : withLength(toJson(part)))),
  ];
}

function toJson(part: object): Buffer {
  return Buffer.from(JSON.stringify(part));
}

function withLength(bytes: Buffer): Buffer[] {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

function decode(
  bytes: Buffer,
  specs: FeatureSpecs,
  { hasParts, decodeEngine, toValidUntilMs }: Reading & { readonly hasParts: boolean },
): ProfileState {
  if (bytes.length < HEAD_BYTES) throw new Error(`it has ${bytes.length} bytes`);
  const timeZoneEnd = HEAD_BYTES + bytes.readUInt8(1);
  const subjectEnd = timeZoneEnd + bytes.readUInt16BE(2);
  if (subjectEnd > bytes.length) throw new Error('it ends early');
  const { end, ...parts } = hasParts ? decodeParts(bytes, subjectEnd, specs) : { end: subjectEnd };
  const engine = decodeEngine(bytes.subarray(end));
  return {
    engine,
    // Copies: a slice would keep the whole Redis reply in memory.
    subject: Buffer.from(bytes.subarray(timeZoneEnd, subjectEnd)),
    timeZone: bytes.toString('utf8', HEAD_BYTES, timeZoneEnd),
    lastEventAtMs: bytes.readDoubleBE(4),
    ...parts,
    validUntilMs: toValidUntilMs(engine),
  };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Also gives where the parts end. */
function decodeParts(
  bytes: Buffer,
  from: number,
  specs: FeatureSpecs,
): Partial<ProfileState> & { readonly end: number } {
  const bits = bytes.readUInt8(from);
  if (bits > KNOWN_PARTS) throw new Error(`it has unknown parts (${bits})`);
  let end = from + 1;
  const takeBytes = (): Buffer => {
    const start = end + 4;
    end = start + bytes.readUInt32BE(end);
    if (end > bytes.length) throw new Error('it ends early');
    return bytes.subarray(start, end);
  };
  const takeJson = () => JSON.parse(takeBytes().toString()) as unknown;
  const parts: Writable<Pick<ProfileState, 'fill' | 'beside' | 'about' | 'whole' | 'account' | 'group' | 'outliers'>> =
    {};
  if (bits & HAS_FILL) {
    parts.fill = bytes.toString('hex', end, end + FILL_TAG_BYTES);
    end += FILL_TAG_BYTES;
  }
  if (bits & HAS_BESIDE) parts.beside = specs.decode(takeBytes());
  if (bits & HAS_ABOUT) parts.about = decodeAbout(takeBytes());
  if (bits & HAS_WHOLE) parts.whole = takeJson() as readonly string[];
  if (bits & HAS_ACCOUNT) parts.account = takeJson() as AccountFacts;
  if (bits & HAS_GROUP) parts.group = takeJson() as AccountState;
  if (bits & HAS_OUTLIERS) parts.outliers = takeJson() as readonly ValueSeries[];
  return { ...parts, end };
}
