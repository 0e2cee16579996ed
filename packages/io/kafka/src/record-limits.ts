/** Limits of what others write, checked while a fetched batch is decoded. */
export const RECORD_LIMITS = {
  /** Tracing and CloudEvents need some twenty. */
  headersMax: 256,
  /** UTF-8 bytes of all names and values of one record. */
  headerBytesMax: 64 * 1024,
  /**
   * Records of one batch without their compression. A client's limit for a batch, 1 MB by default, counts bytes before
   * or after compression, so a batch of real records can be some times larger than the broker's limit.
   */
  batchBytesMax: 32 * 1_048_576,
  /** The same for all batches of one fetch: it bounds the memory of a consumer. At least `batchBytesMax`. */
  fetchBytesMax: 64 * 1_048_576,
  /** Unpacked batches that several fetches read one after another, all partitions of the process. At least `batchBytesMax`. */
  keptBytesMax: 32 * 1_048_576,
} as const;

/** Approximate memory of a record object and its headers beyond key and value, bytes. */
export const RECORD_OVERHEAD_BYTES = 200;
