import type { Consent } from '@perennial/contracts';
import { isAbsent, isJsonObject } from '../parse-properties.js';
import { Rejection } from '../rejection.js';
import { parsePurposes } from './parse-consent.js';

/** What Global Privacy Control asks not to be done with a person's data. */
const GPC_PURPOSE = 'sale_or_sharing';

/**
 * The consent that an event's context has: `context.consent.categoryPreferences` as the Segment API has it, or
 * `context.consent.purposes`; and Global Privacy Control, by `context.gpc` or the header of the request, which counts also beside
 * consent that cannot be read.
 */
export function readContextConsent(
  context: unknown,
  gpcHeader: boolean,
): { readonly consent: Consent | undefined; readonly isUnreadable: boolean } {
  const { consent, gpc } = isJsonObject(context) ? context : {};
  const isGpc = gpcHeader || gpc === true;
  const withdrawn = { purpose: GPC_PURPOSE, granted: false };
  const purposes = isAbsent(consent) ? undefined : readPurposes(consent);
  if (purposes === undefined) {
    return { consent: isGpc ? toConsent([withdrawn], 'gpc') : undefined, isUnreadable: !isAbsent(consent) };
  }
  const others = purposes.filter(({ purpose }) => purpose !== GPC_PURPOSE);
  return { consent: toConsent(isGpc ? [...others, withdrawn] : purposes, 'context'), isUnreadable: false };
}

/** Undefined where there are none that can be read. */
function readPurposes(consent: unknown): Consent['purposes'] | undefined {
  if (!isJsonObject(consent)) return undefined;
  const said = isAbsent(consent.categoryPreferences) ? consent.purposes : consent.categoryPreferences;
  const purposes = parsePurposes(said, 'context.consent');
  return purposes instanceof Rejection || purposes.length === 0 ? undefined : purposes;
}

function toConsent(purposes: Consent['purposes'], source: string): Consent {
  return { purposes, permissions: [], source, textVersion: '' };
}
