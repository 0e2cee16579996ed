const MIB = 1024 * 1024;

/** What a graph may use. All times are of one process; a graph that needs more is ended with its process. */
export interface GraphLimits {
  /** CPU time until the graph is open and probed. */
  readonly loadCpuMsMax: number;
  /** Time until the graph is open and probed, also when that waits. */
  readonly loadAnswerMsMax: number;
  /** CPU time of one run of at most 512 rows. CPU time, so that other work on the machine fails no row. */
  readonly runCpuMsMax: number;
  /** Time until the answer of a run: for what waits without using the CPU (a GPU, a stopped process). */
  readonly answerMsMax: number;
  /** Memory of the process (data segments, Linux), of which Node.js and ONNX Runtime take 90 MiB. */
  readonly memoryBytesMax: number;
}

/** For a model in force: generous, since what exceeds these costs a row its score. */
export const RUN_LIMITS: GraphLimits = {
  loadCpuMsMax: 12_000,
  loadAnswerMsMax: 60_000,
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
  loadAnswerMsMax: 60_000,
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

/**
 * Bytes of an ONNX file. What limits it is memory: its process has four copies while it opens the graph, the service one or
 * two. Protobuf, in which the file is written, ends at 2 GiB, as the artifact store does; numbers in files beside it, which
 * could hold more, are rejected (`file-problems.ts`).
 */
export const GRAPH_BYTES_MAX = 1_024 * MIB;

/** A file of this size may be opened within the limits as they are. */
const COMMON_FILE_BYTES = 64 * MIB;

/** Of a file in its process while it is opened: 1 GiB was measured to take 4.1 GiB. */
const FILE_COPIES = 5;

/** Of reading and copying one MiB of a file: measured 5 ms of CPU, and 50 ms on a machine with ten times the work of its cores. */
const LOAD_PER_MIB = { cpuMs: 15, answerMs: 150 } as const;

/** The limits for a graph of so many bytes: what a large file needs by its size alone comes on top. */
export function withFile(limits: GraphLimits, fileBytes: number): GraphLimits {
  const above = Math.max(0, fileBytes - COMMON_FILE_BYTES);
  return {
    ...limits,
    loadCpuMsMax: limits.loadCpuMsMax + Math.ceil((above / MIB) * LOAD_PER_MIB.cpuMs),
    loadAnswerMsMax: limits.loadAnswerMsMax + Math.ceil((above / MIB) * LOAD_PER_MIB.answerMs),
    memoryBytesMax: limits.memoryBytesMax + above * FILE_COPIES,
  };
}

/** Processes that may be lost on the rows of one request; rows not tried by then fail. */
export const LOST_PROCESSES_MAX = 12;

/** After this time without a run the process of a graph is ended; the next run starts another. */
export const IDLE_MS = 600_000;
