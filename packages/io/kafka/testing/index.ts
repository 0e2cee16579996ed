export type { LogContractHarness } from './log-contract.js';
export { describeLogContract } from './log-contract.js';
export type { MemoryLog, MemoryLogOptions, SendFault } from './memory-log.js';
export { createMemoryLog } from './memory-log.js';
export {
  beginTransaction,
  CODEC_NAMES,
  CODEC_NUMBERS,
  type CodecName,
  encodeControlBatch,
  encodeOddBatch,
  type OddBatch,
  type OddRecord,
  type OpenTransaction,
  pack,
  packSnappyFramed,
  produceRaw,
  type RawTarget,
  toVarint,
} from './odd-batches.js';
export { trimTopic } from './trim-topic.js';
