import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { toMessage } from '@perennial/kernel';
import type { Failure } from '../results.js';
import { type AnswerBudget, watchAnswer } from './cpu-watch.js';
import { type Frame, FrameReader } from './frames.js';
import { CHANNEL_FD } from './protocol.js';

/** From `src` (tests) as from `dist`: a process runs what was built. */
const MAIN = join(import.meta.dirname, '../../dist/process/main.js');

/**
 * Sets the limit of data segments before Node.js starts; a lower one that is there already stays. Where memory runs out
 * nevertheless (a container), the kernel ends this process before the service.
 */
const START = 'echo 1000 2>/dev/null >/proc/self/oom_score_adj; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

const NODE_MAJOR = Number.parseInt(process.versions.node, 10);

/** The process holds the rows of one batch and the file beside the graph itself. */
const HEAP_MIB_MAX = 64;

/** The graph's, and that of the thread that watches the parent. */
const ISOLATES = 2;

/**
 * V8 of Node 24 maps 512 MiB for the code of each isolate. They are hardly used, but count as data: without this a process
 * would end before its first line (`Failed to reserve virtual memory for CodeRange`, SIGTRAP).
 */
const CODE_RANGES_KIB = NODE_MAJOR >= 22 ? ISOLATES * 512 * 1024 : 0;

/** Variables that GPU libraries and the runtime need. No others: a graph's process has no use for secrets. */
const PASSED_VARIABLES = /^(PATH|HOME|TMPDIR|LANG|LC_.*|XDG_.*|LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|VK_.*|ORT_.*)$/;

/** Why a process does not answer. */
export interface Loss extends Failure {
  readonly reason: 'time' | 'crash';
  /** True when it was not its graph that ended it, as far as one can see: SIGKILL, an exit, or no CPU to run on. */
  readonly isOutside: boolean;
}

/** A process of its own for one graph. One question at a time; it can be ended whatever it does. */
export class GraphProcess {
  readonly #child: ChildProcess;
  /** Undefined where there is no process: the machine, or this process, has no file descriptor left. */
  readonly #channel: Socket | undefined;
  readonly #reader = new FrameReader();
  #loss: Loss | undefined;
  #usedCpuMs = 0;
  #settle: ((answer: Frame | Loss) => void) | undefined;

  constructor({ memoryBytesMax }: { readonly memoryBytesMax: number | undefined }) {
    const node = [process.execPath, `--max-old-space-size=${HEAP_MIB_MAX}`, MAIN];
    const limit =
      memoryBytesMax === undefined ? 'unlimited' : String(Math.floor(memoryBytesMax / 1024) + CODE_RANGES_KIB);
    this.#child = spawn('/bin/sh', ['-c', START, 'sh', limit, ...node], {
      // A graph that names other files finds none beside it.
      cwd: '/',
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_VARIABLES.test(name))),
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.#child.on('error', ({ message }) => {
      this.#lose({ reason: 'crash', message: `no process could be started: ${message}`, isOutside: true });
    });
    // Despite its type, stdio is undefined without file descriptors.
    this.#channel = (this.#child.stdio as ChildProcess['stdio'] | undefined)?.[CHANNEL_FD] as Socket | undefined;
    this.#channel?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#channel?.on('error', () => undefined);
    this.#child.on('exit', (code, signal) => {
      const message = `its process ended (${signal ?? `exit code ${code}`})`;
      this.#lose({ reason: 'crash', message, isOutside: signal === null || signal === 'SIGKILL' });
    });
    this.#setWaiting(false);
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  /** CPU time that was seen to be used for the last answer, when it took long. */
  get usedCpuMs(): number {
    return this.#usedCpuMs;
  }

  /** The answer, or why there is none: then the process has ended. */
  ask(question: Buffer, budget: AnswerBudget): Promise<Frame | Loss> {
    if (this.#loss !== undefined) return Promise.resolve(this.#loss);
    return new Promise((resolve) => {
      const stopWatch = watchAnswer(this.#child.pid ?? 0, budget, ({ message, isBusy }) => {
        this.#lose({ reason: 'time', message, isOutside: !isBusy });
      });
      this.#settle = (answer) => {
        this.#settle = undefined;
        this.#usedCpuMs = stopWatch();
        this.#setWaiting(false);
        resolve(answer);
      };
      this.#setWaiting(true);
      this.#channel?.write(question);
    });
  }

  end(): void {
    this.#lose({ reason: 'crash', message: 'its process was ended', isOutside: true });
  }

  #read(chunk: Buffer): void {
    try {
      const frame = this.#reader.push(chunk);
      if (frame !== undefined) this.#settle?.(frame);
    } catch (error) {
      this.#lose({ reason: 'crash', message: `its process gave ${toMessage(error)}`, isOutside: false });
    }
  }

  #lose(loss: Loss): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    this.#child.kill('SIGKILL');
    this.#channel?.destroy();
    this.#settle?.(loss);
  }

  /** An idle process does not keep the service's process from ending. */
  #setWaiting(isWaiting: boolean): void {
    if (isWaiting) {
      this.#child.ref();
      this.#channel?.ref();
    } else {
      this.#child.unref();
      this.#channel?.unref();
    }
  }
}
