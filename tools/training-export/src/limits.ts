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
  /** Keys that took part in joins: they are in memory, some 400 bytes each. */
  joinedKeysMax: 2_000_000,
  /** Files of states of joined profiles; keys that are ever connected are in one. */
  joinedFiles: 64,
  /** Of each of them: it is in memory when its profiles are merged. */
  joinedFileBytesMax: 256 * 1_048_576,
  /** Records between two pauses of the event loop. */
  recordsAtOnceMax: 1_000,
  rowGroupRows: 20_000,
} as const;
