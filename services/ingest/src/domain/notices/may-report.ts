import type { Consent } from '@perennial/contracts';
import type { Arrival, NormalisedEvent } from '../event-shape.js';
import { Rejection } from '../rejection.js';

/** Without it nobody is contacted: its grant is as good as that of a permission. */
const CONTACT_PURPOSE = 'marketing';

type Who = Pick<NormalisedEvent, 'userId' | 'named' | 'profileKey'>;

/**
 * Whether a sender may grant this profile's consent. A key in a page is public, so such a source speaks for a device alone, whose
 * id nobody else knows; ids of users and of other kinds can be guessed.
 */
function mayGrant({ reports }: Pick<Arrival, 'reports'>, { userId, named = [], profileKey }: Who): boolean {
  return reports !== false || (userId === undefined && profileKey === undefined && named.length === 0);
}

/** What lets somebody be contacted (again); withdrawals, opt-ins to be confirmed and other purposes do not. */
function isGrant({ purposes, permissions }: Consent): boolean {
  return permissions.some(({ state }) => state === 'granted') || purposes.some(isContactGrant);
}

function isContactGrant({ purpose, granted }: Consent['purposes'][number]): boolean {
  return granted && purpose === CONTACT_PURPOSE;
}

/** A rejection of a consent that grants what its sender may not grant. */
export function checkGrant(consent: Consent, arrival: Pick<Arrival, 'reports'>, who: Who): Rejection | undefined {
  if (mayGrant(arrival, who) || !isGrant(consent)) return undefined;
  const field = consent.permissions.some(({ state }) => state === 'granted') ? 'permissions' : 'purposes';
  return reject(`${field} may grant a user's contact only from a source that may report`).on(field);
}

/** What a sender may say of a profile beside behaviour: without the grant that it may not give, if there is one. */
export function withoutGrant(consent: Consent, arrival: Pick<Arrival, 'reports'>, who: Who): Consent {
  if (mayGrant(arrival, who) || !isGrant(consent)) return consent;
  return { ...consent, purposes: consent.purposes.filter((one) => !isContactGrant(one)) };
}

/** A rejection of what a source may not report at all. */
export function checkReport(type: string, { reports }: Pick<Arrival, 'reports'>): Rejection | undefined {
  if (type === 'consent' || reports !== false) return undefined;
  return reject(`${type} is taken only from a source that may report`).on('type', type);
}

function reject(what: string): Rejection {
  return new Rejection('report_not_allowed', `${what}: sources update NAME --reports`);
}
