export { formatReport } from './report.js';
export { type BenchOptions, CHAIN_KINDS, runChainBench } from './run-chain-bench.js';
export {
  formatRestoreReport,
  type RestoreBenchOptions,
  runRestoreBench,
} from './run-restore-bench.js';
