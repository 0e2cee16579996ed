export { formatReport } from './report.js';
export { type BenchOptions, type BenchReport, runChainBench } from './run-chain-bench.js';
