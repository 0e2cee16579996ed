import { toSha256 } from '@perennial/kernel';

/** How values of a kind are made comparable. `none`: white space around them goes, and that is all. */
export const NORMALISERS = ['none', 'lower', 'email', 'phone'] as const;

type Normaliser = (typeof NORMALISERS)[number];

/** What one form of a value is made of. */
export interface IdForm {
  readonly normalise: Normaliser;
  /** Calling code for phone numbers that name none, such as `86`. */
  readonly callingCode?: string | undefined;
  /** Ids of this kind are the hashes of their values. */
  readonly hash?: 'sha256' | undefined;
}

/** As that of user ids: ingest accepts no longer ones. */
const VALUE_CHARS_MAX = 256;
/** E.164. */
const PHONE_DIGITS_MIN = 7;
const PHONE_DIGITS_MAX = 15;
const EMAIL = /^[^\s@<>()",;]{1,64}@[^\s@<>()",;]{1,190}$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/**
 * The id that a value is: text, or a whole number as apps write ids of theirs. Undefined for one that is none, such as a
 * phone number without a calling code. A value of a hashed kind may be the hash already.
 */
export function normaliseId(value: unknown, form: IdForm): string | undefined {
  const text = toText(value)?.trim();
  if (text === undefined || text === '' || text.length > VALUE_CHARS_MAX) return undefined;
  if (form.hash !== undefined && SHA256.test(text)) return text.toLowerCase();
  const plain = toPlain(text, form);
  return plain === undefined || form.hash === undefined ? plain : toSha256(plain);
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

function toPlain(text: string, { normalise, callingCode }: IdForm): string | undefined {
  switch (normalise) {
    case 'none':
      return text;
    case 'lower':
      return text.toLowerCase();
    case 'email': {
      const address = text.replace(/^mailto:/i, '').toLowerCase();
      return EMAIL.test(address) ? address : undefined;
    }
    case 'phone':
      return toPhone(text, callingCode);
  }
}

/** The digits of E.164 with `+`: `+86 138 0013 8000` and, with the calling code 86, `138-0013-8000`, `0086...`. */
function toPhone(text: string, callingCode: string | undefined): string | undefined {
  if (!/^[+\d(][\d\s().\-/]*$/.test(text)) return undefined;
  const digits = text.replaceAll(/\D/g, '');
  const isInternational = text.startsWith('+') || digits.startsWith('00');
  if (!isInternational && callingCode === undefined) return undefined;
  // A trunk 0 is dialled within the country alone.
  const full = isInternational ? digits.replace(/^00/, '') : `${callingCode}${digits.replace(/^0/, '')}`;
  return full.length >= PHONE_DIGITS_MIN && full.length <= PHONE_DIGITS_MAX ? `+${full}` : undefined;
}
