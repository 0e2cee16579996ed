import { AMOUNT_MAX } from '@perennial/commerce';
import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';

/** Limits of one event and one batch; part of the front door's public contract. */
export const LIMITS = {
  /** One event as received, UTF-8 bytes; SDKs of the Segment family have the same limit of 32 KiB. */
  eventBytesMax: 32 * 1024,
  /** One request body, after decompression and as received. */
  batchBytesMax: 500_000,
  batchEventsMax: 2500,
  idCharsMax: EXTERNAL_ID_CHARS_MAX,
  messageIdCharsMax: 100,
  nameCharsMax: 200,
  /** Nesting of objects and arrays; the event itself is level one. */
  depthMax: 32,
  /** Greater amounts are mistakes, and sums of them lose cents in a double. */
  revenueMax: AMOUNT_MAX,
  /** How much a client's clock may be ahead (the event then happened "now"); beyond it the event is rejected. */
  futureMaxMs: 24 * 3_600_000,
  /** How far a client's clock is believed to be off when its time is possible without correction. */
  clockErrorMaxMs: 24 * 3_600_000,
  /** How much `sentAt` may be before the event: a clock may be set back in between. */
  sentBeforeMaxMs: 60_000,
  /** Earlier times come from a clock that was never set, or from seconds taken for milliseconds. */
  timestampMinMs: Date.UTC(1990, 0, 1),
} as const;
