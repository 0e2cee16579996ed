import { AcceptedRecord, encodeMessage, type ProfileRef, type Retraction, toFirstField } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { Decoded } from '@perennial/keyed-processor';
import type { FeatureInput } from '../domain/fold.js';
import { requireRef, TEXT_CHARS_MAX } from '../identity/check-refs.js';
import { requireUsable } from '../processor.js';

/** Input of a step that takes an event back. */
export interface RetractionInput {
  readonly retraction: Retraction;
  /** The event with parsed properties; undefined for one that has not come. */
  readonly original: FeatureInput | undefined;
  /** The profile that the record is for. */
  readonly self: ProfileRef;
}

/** Message ids that ingest takes are far shorter; those of the copies for accounts have a key before them. */
const MESSAGE_ID_CHARS_MAX = 1_024;
/** Number of the field of `AcceptedRecord` that holds it. */
const FIELD = 15;

/** Decodes a record that takes an event back; undefined for any other. Throws when it is not valid. */
export function decodeRetraction({
  key,
  value,
}: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): Decoded<RetractionInput> | undefined {
  if (value === null || toFirstField(value) !== FIELD) return undefined;
  const { record } = AcceptedRecord.decode(value);
  if (record?.$case !== 'retraction') return undefined;
  const retraction = record.value;
  const self = requireRef(retraction.self, 'self');
  const problem = findProblem(retraction, key?.toString());
  if (problem !== undefined) throw new AppError('contract_violation', `a retraction ${problem}`);
  if (retraction.original !== undefined) requireUsable(retraction.original);
  return { kind: 'record', key: self.key, input: { retraction, original: toOriginal(retraction), self } };
}

function findProblem({ self, messageId, original, by, reason }: Retraction, key: string | undefined) {
  if (self?.key !== key) return 'under the key of another profile';
  if (messageId === '' || messageId.length > MESSAGE_ID_CHARS_MAX)
    return `of a message id of ${messageId.length} characters`;
  if (original !== undefined && original.messageId !== messageId) return 'of another event than the one that it has';
  if (Math.max(by.length, reason.length) > TEXT_CHARS_MAX)
    return `with more than ${TEXT_CHARS_MAX} characters of who or why`;
  return undefined;
}

function toOriginal({ original: event }: Retraction): FeatureInput | undefined {
  if (event === undefined) return undefined;
  const properties = event.propertiesJson.length === 0 ? {} : (JSON.parse(event.propertiesJson.toString()) as unknown);
  return { event, properties };
}

export function encodeRetraction(retraction: Retraction): Buffer {
  return encodeMessage(AcceptedRecord, { record: { $case: 'retraction', value: retraction } });
}
