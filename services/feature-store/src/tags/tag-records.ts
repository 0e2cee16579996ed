import { AcceptedRecord, encodeMessage, type ProfileRef, type TagChange, toFirstField } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { Decoded } from '@perennial/keyed-processor';
import { type GivenKind, isTagName, TAG_OWNER_CHARS_MAX } from '@perennial/traits';
import { TIME_MS_MAX } from '../domain/profile-state.js';
import { requireRef } from '../identity/check-refs.js';

/** A change of a tag, of the profile `self`. */
export interface GivenTag extends TagChange {
  readonly self: ProfileRef;
  readonly kind: GivenKind;
}

/** Input of a step about tags, beside the events. */
export interface TagInput {
  readonly tag: GivenTag;
}

/** Number of the field of `AcceptedRecord` that holds it. */
const FIELD = 14;

/** Decodes a change of a tag; undefined for any other record, which is nearly every one. Throws when it is not valid. */
export function decodeTagInput({
  key,
  value,
}: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): Decoded<TagInput> | undefined {
  if (toFirstField(value) !== FIELD || value === null) return undefined;
  const { record } = AcceptedRecord.decode(value);
  if (record?.$case !== 'tagChange') return undefined;
  const tag = requireTag(record.value);
  if (tag.self.key === key?.toString()) return { kind: 'record', key: tag.self.key, input: { tag } };
  throw new AppError('contract_violation', 'a change of a tag under the key of another profile');
}

/** Throws `contract_violation` for one that this service does not write: the profile keeps what it says. */
function requireTag(change: TagChange): GivenTag {
  const { tag, kind, owner, atMs } = change;
  const self = requireRef(change.self, 'self');
  const problem = !isTagName(tag)
    ? 'whose name is none of a tag'
    : owner.length > TAG_OWNER_CHARS_MAX
      ? `with an owner of ${owner.length} characters`
      : atMs < 0 || atMs > TIME_MS_MAX
        ? 'of a time that is not between 1970 and 2100'
        : undefined;
  if (problem !== undefined) throw new AppError('contract_violation', `a change of a tag ${problem}`);
  if (kind === 'manual' || kind === 'imported') return { ...change, self, kind };
  throw new AppError('contract_violation', 'a change of a tag that is neither manual nor imported');
}

/** The record of a change. */
export function encodeTag(tag: TagChange): Buffer {
  return encodeMessage(AcceptedRecord, { record: { $case: 'tagChange', value: tag } });
}
