import type { Consent } from '@perennial/contracts';
import { isAbsent, isJsonObject } from '../parse-properties.js';
import { Rejection } from '../rejection.js';
import { parsePurposes } from './parse-consent.js';

/** What Global Privacy Control asks not to be done with a person's data. */
const GPC_PURPOSE = 'sale_or_sharing';

/**
 * The consent that an event's context has: `context.consent.categoryPreferences` as the Segment API has it, or
 * `context.consent.purposes`; and Global Privacy Control, by `context.gpc` or the header of the request. Undefined for none.
 */
export function readContextConsent(context: unknown, gpcHeader: boolean): Consent | 'unreadable' | undefined {
  const { consent, gpc } = isJsonObject(context) ? context : {};
  const isGpc = gpcHeader || gpc === true;
  if (isAbsent(consent)) {
    return isGpc ? toConsent([{ purpose: GPC_PURPOSE, granted: false }], 'gpc') : undefined;
  }
  if (!isJsonObject(consent)) return 'unreadable';
  const said = isAbsent(consent.categoryPreferences) ? consent.purposes : consent.categoryPreferences;
  const purposes = parsePurposes(said, 'context.consent');
  if (purposes instanceof Rejection || purposes.length === 0) return 'unreadable';
  const others = purposes.filter(({ purpose }) => !isGpc || purpose !== GPC_PURPOSE);
  return toConsent(isGpc ? [...others, { purpose: GPC_PURPOSE, granted: false }] : purposes, 'context');
}

function toConsent(purposes: Consent['purposes'], source: string): Consent {
  return { purposes, permissions: [], source, textVersion: '' };
}
