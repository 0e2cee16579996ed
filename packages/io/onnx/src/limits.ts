const MIB = 1024 * 1024;

/** What a graph may use. All times are of one process; a graph that needs more is ended with its process. */
export interface GraphLimits {
  /** CPU time until the graph is open and probed. */
  readonly loadCpuMsMax: number;
  /** CPU time of one run of at most 512 rows. CPU time, so that other work on the machine fails no row. */
  readonly runCpuMsMax: number;
  /** Time until an answer: for what waits without using the CPU (a GPU, a stopped process). */
  readonly answerMsMax: number;
  /** Memory of the process (data segments, Linux), of which Node.js and ONNX Runtime take 90 MiB. */
  readonly memoryBytesMax: number;
}

/** For a model in force: generous, since what exceeds these costs a row its score. */
export const RUN_LIMITS: GraphLimits = {
  loadCpuMsMax: 12_000,
  runCpuMsMax: 2_000,
  answerMsMax: 60_000,
  memoryBytesMax: 1_024 * MIB,
};

/**
 * For a model that is registered: a quarter of the time and half of the memory, so that a registered model also runs on a
 * machine that is several times slower.
 */
export const TRIAL_LIMITS: GraphLimits = {
  loadCpuMsMax: 6_000,
  runCpuMsMax: 500,
  answerMsMax: 60_000,
  memoryBytesMax: 512 * MIB,
};

/** CPU time (beyond the first 100 ms) from which a run of at most 512 rows is slow: its partition then runs apart. */
export const SLOW_RUN_CPU_MS = 250;

/**
 * How long rows of one partition can wait for those of `troubled` others whose model run hangs, each once in
 * `PROBATION_REQUESTS` of their requests: for the run together, and for one of each troubled partition before they are known.
 * `startMs` is what a new process takes until it has opened the graph. In ms of CPU on a free core.
 */
export function heldMsMax(
  { runCpuMsMax }: GraphLimits,
  { troubled, startMs }: { readonly troubled: number; readonly startMs: number },
): number {
  return (1 + troubled) * (runCpuMsMax + startMs);
}

/** Bytes of an ONNX file. */
export const GRAPH_BYTES_MAX = 64 * MIB;

/** Processes that may be lost on the rows of one request; rows not tried by then fail. */
export const LOST_PROCESSES_MAX = 12;

/** After this time without a run the process of a graph is ended; the next run starts another. */
export const IDLE_MS = 600_000;
