/* What writes odd batches, without Jest: for tools such as a fuzzer. */
export type { OddBatch, OddRecord } from './odd-batch.js';
export { encodeControlBatch, encodeOddBatch, toVarint } from './odd-batch.js';
export { CODEC_NAMES, CODEC_NUMBERS, type CodecName, pack, packSnappyFramed } from './pack.js';
export { produceRaw, type RawTarget } from './produce-raw.js';
export { beginTransaction, type OpenTransaction } from './transactions.js';
