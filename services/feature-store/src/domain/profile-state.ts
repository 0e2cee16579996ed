import { defineState, type VersionedState } from '@perennial/contracts';
import type { EngineState, FeatureSpecs } from '@perennial/feature-engine';
import { assert } from '@perennial/kernel';

/** State of one profile in the feature-store. Its time is that of its engine state, `engine.asOfMs`. */
export interface ProfileState {
  readonly engine: EngineState;
  /** The external id, sealed, from the newest event. */
  readonly subject: Buffer;
  /** IANA time zone from the newest event that has one, else ''. */
  readonly timeZone: string;
  readonly lastEventAtMs: number;
  /** When a windowed value changes without an event: derived from `engine`, cached so that it is computed once. */
  readonly validUntilMs: number | undefined;
}

const FORMAT_VERSION = 1;
const HEAD_BYTES = 12;

/** Codec of profile states. The engine's part is decoded under the spec that made it, whichever is in force now. */
export function createProfileStates(specs: FeatureSpecs): VersionedState<ProfileState> {
  return defineState({
    name: 'profile state',
    current: FORMAT_VERSION,
    versions: { [FORMAT_VERSION]: (bytes) => decode(bytes, specs) },
    encode: (state) => encode(state, specs),
  });
}

/**
 * Layout: version (1 byte), length of the time zone (1), length of the subject (2), last event time (8, double), then time
 * zone, subject, and the engine's state to the end.
 */
function encode(state: ProfileState, specs: FeatureSpecs): Buffer {
  const engine = specs.get(state.engine.specHash).encode(state.engine);
  const timeZoneBytes = Buffer.byteLength(state.timeZone);
  assert(timeZoneBytes <= 0xff && state.subject.length <= 0xffff, 'ingest bounds time zone and id');
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + timeZoneBytes + state.subject.length + engine.length);
  bytes.writeUInt8(FORMAT_VERSION, 0);
  bytes.writeUInt8(timeZoneBytes, 1);
  bytes.writeUInt16BE(state.subject.length, 2);
  bytes.writeDoubleBE(state.lastEventAtMs, 4);
  bytes.write(state.timeZone, HEAD_BYTES);
  bytes.set(state.subject, HEAD_BYTES + timeZoneBytes);
  bytes.set(engine, HEAD_BYTES + timeZoneBytes + state.subject.length);
  return bytes;
}

function decode(bytes: Buffer, specs: FeatureSpecs): ProfileState {
  if (bytes.length < HEAD_BYTES) throw new Error(`it has ${bytes.length} bytes`);
  const timeZoneEnd = HEAD_BYTES + bytes.readUInt8(1);
  const subjectEnd = timeZoneEnd + bytes.readUInt16BE(2);
  if (subjectEnd > bytes.length) throw new Error('it ends early');
  const engine = specs.decode(bytes.subarray(subjectEnd));
  return {
    engine,
    // Copies: a slice would keep the whole Redis reply in memory.
    subject: Buffer.from(bytes.subarray(timeZoneEnd, subjectEnd)),
    timeZone: bytes.toString('utf8', HEAD_BYTES, timeZoneEnd),
    lastEventAtMs: bytes.readDoubleBE(4),
    validUntilMs: specs.get(engine.specHash).vector(engine, engine.asOfMs).validUntilMs,
  };
}
