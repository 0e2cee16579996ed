/** Every bound of an export. */
export const EXPORT_LIMITS = {
  cutoffsMax: 1_000,
  pairsMax: 5_000_000,
  pairsBytesMax: 512 * 1_048_576,
  /** Problems of a file of pairs that are listed. */
  problemsMax: 20,
  /** Events of a profile's sequence. */
  sequenceDefault: 50,
  sequenceMax: 1_000,
  /** Records of a partition folded in one pass: they bound the states in memory. A longer partition is read several times. */
  recordsPerPassMax: 2_000_000,
  /** Records between two pauses of the event loop. */
  recordsAtOnceMax: 1_000,
  rowGroupRows: 20_000,
} as const;
