/*
 * The process of one graph: opens it, then runs rows, one frame in, one frame out, until its parent closes the channel.
 */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { isAppError, toMessage } from '@perennial/kernel';
import type { GraphDeclaration } from '../graph.js';
import { type OpenGraph, openGraph } from '../open-graph.js';
import { toCleanMessage } from '../results.js';
import type { ExecutionProvider } from '../session.js';
import { decodeLoad, decodeNumbers, encodeJson, encodeNumbers, type Frame, FrameReader } from './frames.js';
import { CHANNEL_FD, type Rejected } from './protocol.js';

const channel = new Socket({ fd: CHANNEL_FD });
const reader = new FrameReader();
let open: OpenGraph | undefined;

async function answer({ kind, payload }: Frame): Promise<Buffer> {
  if (kind === 'load') return load(payload);
  if (kind !== 'run' || open === undefined) throw new Error(`${kind} before load`);
  const found = await open.run(decodeNumbers(payload));
  return 'results' in found ? encodeNumbers('results', found.results) : encodeJson('failed', found.failure);
}

async function load(payload: Buffer): Promise<Buffer> {
  const { declared, file } = decodeLoad<{ graph: GraphDeclaration; providers: readonly ExecutionProvider[] }>(payload);
  try {
    open = await openGraph(file, declared.graph, declared);
    const { provider, fallbacks, batchShapes } = open;
    return encodeJson('opened', { provider, fallbacks, batchShapes });
  } catch (error) {
    const rejected: Rejected = isAppError(error)
      ? { code: error.code, message: error.message, details: error.details }
      : { code: 'dependency_unavailable', message: toCleanMessage(toMessage(error)), details: {} };
    return encodeJson('rejected', rejected);
  }
}

channel.on('data', (chunk: Buffer) => {
  const frame = reader.push(chunk);
  if (frame !== undefined) void answer(frame).then((bytes) => channel.write(bytes));
});
channel.on('end', () => process.exit());
channel.on('error', () => process.exit());
// They go to the whole group of a terminal; the service drains first, and for that it needs its graphs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// A graph that hangs keeps this thread from seeing that the parent is gone.
new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: { parent: process.ppid } }).unref();
