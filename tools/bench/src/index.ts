export { formatFeaturesReport } from './features/report.js';
export { type FeaturesBenchOptions, runFeaturesBench } from './features/run-features-bench.js';
export { formatReport } from './report.js';
export { type BenchOptions, CHAIN_KINDS, runChainBench } from './run-chain-bench.js';
export { type ExploreBenchOptions, formatExploreReport, runExploreBench } from './run-explore-bench.js';
export { type ExportBenchOptions, formatExportReport, runExportBench } from './run-export-bench.js';
export { type FillBenchOptions, formatFillReport, runFillBench } from './run-fill-bench.js';
export {
  formatRestoreReport,
  type RestoreBenchOptions,
  runRestoreBench,
} from './run-restore-bench.js';
