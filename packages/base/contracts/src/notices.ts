/**
 * Types of events that others report and that are no behaviour of the profile (ADR 37): what came of an action, a contact that
 * another system made, what the profile allows.
 */
export const NOTICE_TYPES = ['outcome', 'contact', 'consent'] as const;

export type NoticeType = (typeof NOTICE_TYPES)[number];

const KNOWN: ReadonlySet<string> = new Set(NOTICE_TYPES);

/** True for what a person did; false for what others report of it, which no feature counts that does not name it. */
export function isBehaviour(type: string): boolean {
  return !KNOWN.has(type);
}

/** What may come of an action. */
export const OUTCOME_KINDS = [
  'handed_over',
  'assigned',
  'confirmed',
  'skipped',
  'delivered',
  'opened',
  'clicked',
  'converted',
  'bounced',
  'complained',
  'unsubscribed',
  'expired',
  'cancelled',
] as const;
