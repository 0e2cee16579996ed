import { AcceptedRecord, encodeMessage } from '@perennial/contracts';
import type { HeldRecord } from '@perennial/identity';
import { decodeAccountInput } from '../accounts/account-records.js';
import { decodeAccepted } from '../processor.js';
import { decodeRetraction, encodeRetraction, type RetractionInput } from '../retract/retraction-record.js';
import { decodeTagInput, encodeTag, type TagInput } from '../tags/tag-records.js';
import { type AcceptedInput, decodeIdentityInput } from './identity-records.js';

/**
 * Bytes of records that a key holds while an unmerge is under way; above it the unmerge begins again. Each record of the
 * profile writes all of them: with events of 400 bytes 650 of them, more than a person's of a quarter of an hour.
 */
export const HELD_BYTES_MAX = 262_144;

/** Above it records become dead letters: nobody answers the key that leaves, since a forged record began its unmerge. */
export const HELD_BYTES_END = 4 * HELD_BYTES_MAX;

/** The record as it came; undefined for one that is not taken again. */
export function toHeld(input: AcceptedInput, logTimeMs: number): HeldRecord | undefined {
  if ('retraction' in input) return { logTimeMs, value: encodeRetraction(input.retraction) };
  if ('tag' in input) return { logTimeMs, value: encodeTag(input.tag) };
  const record = toRecord(input);
  return record && { logTimeMs, value: encodeMessage(AcceptedRecord, { record }) };
}

function toRecord(input: Exclude<AcceptedInput, RetractionInput | TagInput>): AcceptedRecord['record'] {
  if ('account' in input) {
    const { account } = input;
    if (account.kind === 'known') return { $case: 'accountKnown', value: account.known };
    return { $case: 'accountLeft', value: account.left };
  }
  if (!('identity' in input)) return { $case: 'event', value: input.event };
  const { identity } = input;
  if (identity.kind === 'link') return { $case: 'link', value: identity.link };
  return identity.kind === 'hand_over' ? { $case: 'handOver', value: identity.handOver } : undefined;
}

/** Throws as the processor's `decode`. */
export function fromHeld(key: string, { value }: HeldRecord): AcceptedInput {
  const record = { key: Buffer.from(key), value };
  const decoded =
    decodeIdentityInput(record) ??
    decodeAccountInput(record) ??
    decodeTagInput(record) ??
    decodeRetraction(record) ??
    decodeAccepted(record.key, value);
  if (decoded.kind !== 'record') throw new Error('a held record is of a profile');
  return decoded.input;
}

export function countBytes(held: readonly HeldRecord[]): number {
  return held.reduce((sum, { value }) => sum + value.length, 0);
}

/** Links among them that the key counted as namings of its id when they came, and counts again when it takes them again. */
export function countNamings(held: readonly HeldRecord[]): number {
  const isNaming = ({ record }: AcceptedRecord) =>
    record?.$case === 'link' && record.value.tie === true && record.value.change === undefined;
  return held.filter(({ value }) => isNaming(AcceptedRecord.decode(value))).length;
}
