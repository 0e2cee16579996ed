/** Every rule of the processor, and of profiles that join, that can be broken from outside; docs/RELIABILITY.md describes the effect of each. */
export const RULES = [
  'publish-before-commit',
  'owner-not-checked',
  'offset-not-checked',
  'reads-not-fenced',
  'parts-of-a-tick-not-counted',
  'outbox-not-republished',
  'outbox-dropped-before-acknowledged',
  'timers-outside-commit',
  'duplicates-remembered-outside-commit',
  'positions-not-checked-downstream',
  'positions-not-bounded',
  'outputs-coalesced-by-batch',
  'cache-kept-when-fenced',
  'snapshot-begun-after-its-states-were-read',
  'snapshot-ended-while-unpublished',
  'chunks-put-in-where-snapshot-began',
  'restore-not-marked',
  'restore-without-wipe',
  'commits-of-a-restore-not-counted',
  'forwarder-kept',
  'hand-over-taken-once',
  'members-handed-over',
  'copies-marked-while-leaving',
  'held-until-parted',
] as const;

/** A mutant is named by the rule that it breaks: an unknown one does not compile. */
export type RuleName = (typeof RULES)[number];
