import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';

/** What one event or one batch may be; the public contract of the front door. */
export const LIMITS = {
  /** One event as received, UTF-8 bytes; SDKs of the Segment family cut at the same 32 KiB. */
  eventBytesMax: 32 * 1024,
  /** One request body after decompression, and as received. */
  batchBytesMax: 500_000,
  batchEventsMax: 2500,
  idCharsMax: EXTERNAL_ID_CHARS_MAX,
  messageIdCharsMax: 100,
  nameCharsMax: 200,
  /** Objects and arrays within each other, the event itself being the first. */
  depthMax: 32,
  /** Money beyond this is a mistake, and sums of it lose cents in a double. */
  revenueMax: 1_000_000_000,
  /** A client's clock may be this much ahead (the event then happened "now"); beyond it the event is refused. */
  futureMaxMs: 24 * 3_600_000,
  /** Before this there were no apps: a clock that was never set, or seconds taken for milliseconds. */
  timestampMinMs: Date.UTC(1990, 0, 1),
} as const;
