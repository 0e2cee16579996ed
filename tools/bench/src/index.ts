export { formatReport } from './report.js';
export { type BenchOptions, type BenchReport, CHAIN_KINDS, runChainBench } from './run-chain-bench.js';
export {
  formatRestoreReport,
  type RestoreBenchOptions,
  type RestoreBenchReport,
  runRestoreBench,
} from './run-restore-bench.js';
