import { LruCache } from '@perennial/kernel';
import { BROWSER_ZONES } from './browser-zones.js';
import { parseOffset, printOffset } from './offset.js';
import { SHOWN_ZONES } from './shown-zones.js';
import { WINDOWS_ZONES } from './windows-zones.js';

/** Longer texts are no zone: the longest name of Windows has 31 characters, the longest of IANA 32. */
const ZONE_CHARS_MAX = 64;

/** A call of Intl costs some 20 us; there are about 600 names, each in some spellings. */
const known = new LruCache<string, string | null>({ entriesMax: 2000, sizeMax: 2000 });

/**
 * Names that ICU knows and IANA does not. Several are read as a zone that their sender hardly means: BST as Dhaka, IST
 * as India, CST as Chicago.
 */
const ICU_ONLY: ReadonlySet<string> = new Set(
  'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST'.split(' '),
);

/**
 * The zone in one of its spellings: an IANA name (any case), a Windows name (of winter or summer), what Windows shows
 * (`(UTC+09:00) Osaka, Sapporo, Tokyo`), what browsers call it (`Central European Summer Time`), or an offset (`+09:00`, `+0900`, `+9`,
 * `GMT+0900`, `UTC+9`, `GMT+5:30`). Result: an IANA name, where an offset has one (`Etc/GMT-9`), else `+05:30`; undefined
 * for what is no zone. Signs are those of ISO 8601, + is east; but IANA's `Etc/GMT-9` is 9 hours east (as in POSIX).
 */
export function parseZone(text: string): string | undefined {
  const found = known.get(text);
  if (found !== undefined) return found ?? undefined;
  if (text.length > ZONE_CHARS_MAX) return undefined;
  const zone = readZone(text.trim());
  known.set(text, zone ?? null);
  return zone;
}

function readZone(text: string): string | undefined {
  const name = text.toLowerCase();
  if (name === 'z') return 'UTC';
  return (
    readName(text) ??
    readName(text.replaceAll(' ', '_')) ??
    readOffset(text) ??
    readWindows(name.replace(DAYLIGHT, ' standard time')) ??
    readShown(name) ??
    readBrowser(name)
  );
}

// Windows names a zone's summer too, `Eastern Daylight Time`: another name of the same zone, not of an offset.
const DAYLIGHT = / daylight time(?=$| \()/;

function readWindows(name: string): string | undefined {
  return Object.hasOwn(WINDOWS_ZONES, name) ? WINDOWS_ZONES[name] : undefined;
}

/** `Central European Summer Time`: a name of the zone too, not of an offset. */
function readBrowser(name: string): string | undefined {
  const winter = Object.hasOwn(BROWSER_ZONES, name) ? name : name.replace(/ summer time$/, ' standard time');
  return Object.hasOwn(BROWSER_ZONES, winter) ? BROWSER_ZONES[winter] : readWindows(winter);
}

const SHOWN = /^\((?:utc|gmt)(?: ?[+\-\u2212]\d{1,2}:\d{2})?\) (.+)$/;

/** `(UTC-05:00) Eastern Time (US & Canada)`: the words say which zone, the offset is that of its winter. */
function readShown(name: string): string | undefined {
  const words = SHOWN.exec(name)?.[1];
  if (words === undefined) return undefined;
  if (words.startsWith('coordinated universal time')) return readZone(name.slice(1, name.indexOf(')')));
  return Object.hasOwn(SHOWN_ZONES, words) ? readWindows(SHOWN_ZONES[words] as string) : undefined;
}

function readName(text: string): string | undefined {
  if (!/^[a-z][a-z0-9_+\-/]+$/i.test(text) || ICU_ONLY.has(text.toUpperCase())) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions();
    // An alias stays as it was sent: which of two names is the alias changes between versions of ICU.
    return timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text;
  } catch {
    // Intl throws a RangeError for an unknown zone.
    return undefined;
  }
}

// The end of what JavaScript's Date.toString writes, `GMT+0900 (Japan Standard Time)`, has the zone's name as a comment.
const COMMENT = / \([^()]{1,60}\)$/;

function readOffset(text: string): string | undefined {
  const minutes = parseOffset(text.replace(COMMENT, '').replace(/^(?:GMT|UTC) ?(?=[+\-\u2212])/i, ''));
  return minutes === undefined ? undefined : toZone(minutes);
}

/** IANA's name of a fixed offset has the opposite sign, for whole hours from -12 to +14. */
function toZone(minutes: number): string {
  if (minutes === 0) return 'UTC';
  if (minutes % 60 !== 0 || minutes < -12 * 60) return printOffset(minutes);
  return `Etc/GMT${minutes > 0 ? '-' : '+'}${Math.abs(minutes) / 60}`;
}
