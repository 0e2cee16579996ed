import { decodeState, type EngineState, encodeState, vector } from '@perennial/feature-engine';
import { AppError, assert } from '@perennial/kernel';

/** What the feature-store keeps of one profile. Its time is that of its engine state, `engine.asOfMs`. */
export interface ProfileState {
  readonly engine: EngineState;
  /** The external id, sealed, as the newest event had it. */
  readonly subject: Buffer;
  /** IANA time zone as the newest event that told one had it, else ''. */
  readonly timeZone: string;
  readonly lastEventAtMs: number;
  /** When a windowed value changes without an event: derived from `engine`, kept so that it is computed once. */
  readonly validUntilMs: number | undefined;
}

const FORMAT_VERSION = 1;
const HEAD_BYTES = 12;

/** A state whose derived fields are right. */
export function createProfileState(fields: Omit<ProfileState, 'validUntilMs'>): ProfileState {
  return { ...fields, validUntilMs: vector(fields.engine, fields.engine.asOfMs).validUntilMs };
}

/**
 * Layout: version (1 byte), length of the time zone (1), length of the subject (2), last event time (8, double), then time
 * zone, subject, and the engine's state to the end.
 */
export function encodeProfileState(state: ProfileState): Buffer {
  const timeZone = Buffer.from(state.timeZone);
  assert(timeZone.length <= 0xff && state.subject.length <= 0xffff, 'ingest bounds time zone and id');
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(FORMAT_VERSION, 0);
  head.writeUInt8(timeZone.length, 1);
  head.writeUInt16BE(state.subject.length, 2);
  head.writeDoubleBE(state.lastEventAtMs, 4);
  return Buffer.concat([head, timeZone, state.subject, encodeState(state.engine)]);
}

/** Throws `contract_violation` for another format, another feature spec, and damaged bytes. */
export function decodeProfileState(bytes: Buffer): ProfileState {
  const version = bytes[0];
  if (bytes.length < HEAD_BYTES || version !== FORMAT_VERSION) {
    throw new AppError('contract_violation', `bytes are no profile state of format ${FORMAT_VERSION}`);
  }
  const timeZoneEnd = HEAD_BYTES + bytes.readUInt8(1);
  const subjectEnd = timeZoneEnd + bytes.readUInt16BE(2);
  if (subjectEnd > bytes.length) throw new AppError('contract_violation', 'bytes of a profile state end early');
  return createProfileState({
    engine: decodeState(bytes.subarray(subjectEnd)),
    // Copies: a slice would keep the whole reply of Redis alive that it came with.
    subject: Buffer.from(bytes.subarray(timeZoneEnd, subjectEnd)),
    timeZone: bytes.toString('utf8', HEAD_BYTES, timeZoneEnd),
    lastEventAtMs: bytes.readDoubleBE(4),
  });
}
