import { AppError } from '@perennial/kernel';
import { type GraphDeclaration, toWidths } from '../graph.js';
import { type GraphLimits, IDLE_MS, withFile } from '../limits.js';
import type { GraphFacts, OpenGraph } from '../open-graph.js';
import type { Failure, RunResult } from '../results.js';
import type { ExecutionProvider } from '../session.js';
import { decodeNumbers, encodeLoad, encodeNumbers, type Frame } from './frames.js';
import { GraphProcess, type Loss } from './graph-process.js';
import type { Rejected } from './protocol.js';

/** Crashes of the process that opens a graph, before the graph is blamed. */
const OPEN_ATTEMPTS = 2;
const MIB = 1024 * 1024;

export interface ProcessOptions {
  readonly providers: readonly ExecutionProvider[];
  readonly limits: GraphLimits;
  /** Called for each process that a run has cost. */
  readonly onLost?: ((loss: Failure) => void) | undefined;
}

interface Started {
  readonly process: GraphProcess;
  readonly facts: GraphFacts;
}

/**
 * A graph in a process of its own, which is ended when it exceeds its limits; the next run starts another. Throws
 * `artifact_invalid` for a graph that cannot be opened within its limits.
 */
export async function openInProcess(file: Buffer, graph: GraphDeclaration, given: ProcessOptions): Promise<OpenGraph> {
  const options = { ...given, limits: withFile(given.limits, file.length) };
  const start = () => startProcess(file, graph, options);
  const { process, facts } = await startOrBlame(start);
  const together = createRunner({ start, graph, options, process });
  const apart = createRunner({ start, graph, options, process: undefined });
  return {
    ...facts,
    run: together.run,
    runApart: apart.run,
    async release() {
      together.end();
      apart.end();
    },
  };
}

/** One process after another for the runs of a graph, one run at a time; the first is started when it is needed. */
function createRunner({
  start,
  graph,
  options: { limits, onLost },
  process: first,
}: {
  readonly start: () => Promise<Started | Loss>;
  readonly graph: GraphDeclaration;
  readonly options: ProcessOptions;
  readonly process: GraphProcess | undefined;
}): { run: OpenGraph['run']; end: () => void } {
  let process = first;
  let idle: NodeJS.Timeout | undefined;

  async function toLive(): Promise<GraphProcess> {
    if (process !== undefined && !process.isLost) return process;
    const started = await start();
    // It was open before, so this is a problem of the machine: the partition waits, visibly.
    if (!('process' in started)) throw toUnavailable(started);
    process = started.process;
    return process;
  }

  return {
    async run(rows) {
      clearTimeout(idle);
      const live = await toLive();
      const budget = { cpuMsMax: limits.runCpuMsMax, answerMsMax: limits.answerMsMax };
      const answer = await live.ask(encodeNumbers('run', rows), budget);
      if (!('kind' in answer)) onLost?.(answer);
      // Not by a clock's wait: this one must not keep a program running that has ended.
      idle = setTimeout(() => process?.end(), IDLE_MS).unref();
      return toRunResult(answer, live, (rows.length / toWidths(graph).features) * graph.heads.length);
    },
    end() {
      clearTimeout(idle);
      process?.end();
    },
  };
}

/** Throws for a graph that the process rejects; the loss of a process is returned. */
async function startProcess(
  file: Buffer,
  graph: GraphDeclaration,
  { providers, limits }: ProcessOptions,
): Promise<Started | Loss> {
  // GPU libraries reserve far more than they use.
  const memoryBytesMax = providers.every((provider) => provider === 'cpu') ? limits.memoryBytesMax : undefined;
  const process = new GraphProcess({ memoryBytesMax });
  const budget = { cpuMsMax: limits.loadCpuMsMax, answerMsMax: limits.loadAnswerMsMax };
  const answer = await process.ask(encodeLoad({ graph, providers }, file), budget);
  if (!('kind' in answer)) return answer;
  const said: unknown = JSON.parse(answer.payload.toString());
  if (answer.kind === 'opened') return { process, facts: said as GraphFacts };
  process.end();
  throw toRejection(said as Rejected, memoryBytesMax);
}

/** What ends the process that opens a graph is the graph's fault, unless it came from outside. */
async function startOrBlame(start: () => Promise<Started | Loss>): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    const started = await start();
    if ('process' in started) return started;
    if (started.isOutside) throw toUnavailable(started);
    if (started.reason === 'crash' && attempt < OPEN_ATTEMPTS) continue;
    throw new AppError(
      'artifact_invalid',
      `the model is rejected: opening it and scoring a few rows, ${started.message}`,
    );
  }
}

function toRejection({ code, message, details }: Rejected, memoryBytesMax: number | undefined): AppError {
  if (code !== 'resource_exhausted' || memoryBytesMax === undefined) return new AppError(code, message, { details });
  // The limit is the same on every machine, so this is a property of the model.
  return new AppError(
    'artifact_invalid',
    `the model is rejected: it needs more than the ${Math.floor(memoryBytesMax / MIB)} MiB of memory that its process may have`,
  );
}

function toUnavailable({ message }: Failure): AppError {
  return new AppError('dependency_unavailable', `the model cannot be run: ${message}`, { retriable: true });
}

function toRunResult(answer: Frame | Loss, process: GraphProcess, expected: number): RunResult {
  if (!('kind' in answer)) return { failure: { reason: answer.reason, message: answer.message } };
  if (answer.kind === 'failed') return { failure: JSON.parse(answer.payload.toString()) as Failure };
  const results = decodeNumbers(answer.payload);
  if (answer.kind === 'results' && results.length === expected) return { results, cpuMs: process.usedCpuMs };
  process.end();
  return { failure: { reason: 'crash', message: 'its process gave another answer than was asked for' } };
}
