import { type AcceptedEvent, AcceptedRecord, encodeMessage, type ProfileRef } from '@perennial/contracts';
import { createPseudonymizer } from '@perennial/privacy';

const USERS = 5;
const DEVICES = 3;
/** Strengths of a user id and of a device's, as ingest writes them. */
const USER = 240;
const DEVICE = 16;
/** Of the kinds that `RULES` adds. */
const MAIL = 200;
const PHONE = 60;
/** In force in some cases: then ids are named by ties. */
export const RULES = Buffer.from(`version: 1
kinds:
  email: { strength: ${MAIL}, read: [traits.email], hash: sha256, unique: true, maxProfiles: 3 }
  phone: { strength: ${PHONE}, read: [traits.phone], maxProfiles: 2 }
`);
export const TIME_MS = Date.UTC(2026, 4, 17);
export const SECRET = 'a secret of the fuzzer, not for anything else';

/** A record of `event.accepted` under a key. */
export interface SentRecord {
  readonly key: string;
  readonly value: Buffer;
}

export type Content = NonNullable<AcceptedRecord['record']>;

const pseudonymizer = createPseudonymizer(SECRET);

function toRef(id: { readonly userId: string } | { readonly anonymousId: string }, strength: number): ProfileRef {
  const [text = ''] = Object.values(id) as string[];
  return { key: pseudonymizer.toProfileKey(id), strength, subject: pseudonymizer.seal(text) };
}

export const users = Array.from({ length: USERS }, (_, i) => toRef({ userId: `user-${i}` }, USER));
export const devices = Array.from({ length: DEVICES }, (_, i) => toRef({ anonymousId: `device-${i}` }, DEVICE));
/** Who has events. */
export const everyone = [...users, ...devices];
/** Ids of other kinds, which events name alone. */
export const others = [
  ...['anna', 'bert'].map((name): ProfileRef => toOther(`mail-${name}`, MAIL)),
  ...['1', '2'].map((name): ProfileRef => toOther(`phone-${name}`, PHONE)),
];

function toOther(key: string, strength: number): ProfileRef {
  return { key, strength, subject: pseudonymizer.seal(key) };
}

export function toEvent(self: ProfileRef, fields: Partial<AcceptedEvent>): AcceptedEvent {
  return {
    messageId: '',
    sourceId: 'src_fuzz',
    type: 'track',
    name: 'Order Completed',
    timestampMs: TIME_MS,
    receivedAtMs: TIME_MS,
    subject: self.subject,
    anonymous: self.strength < USER,
    propertiesJson: Buffer.from('{}'),
    timeZone: '',
    amount: 10,
    currency: '',
    namedIds: [],
    forwardedTo: undefined,
    plan: undefined,
    traits: undefined,
    ...fields,
  };
}

export function toRecord(self: ProfileRef, record: Content): SentRecord {
  return { key: self.key, value: encodeMessage(AcceptedRecord, { record }) };
}
