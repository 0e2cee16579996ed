import { LIMITS } from './limits.js';
import { Rejection } from './rejection.js';

/** Why something of that many bytes is too large to be an event; undefined when it is not. */
export function checkSize(bytes: number, what: string): Rejection | undefined {
  if (bytes <= LIMITS.eventBytesMax) return undefined;
  return new Rejection('event_too_large', `${what} has ${bytes} bytes, ${LIMITS.eventBytesMax} at most`);
}
