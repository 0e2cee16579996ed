import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import type { ProcessorDefinition, StepItem } from '@perennial/keyed-processor';
import type { Draw } from './draw.js';
import type { Layout } from './layout.js';
import type { Scheduler } from './scheduler.js';
import type { StoreServer } from './store-server.js';

/** A definition whose types only its own subject knows. */
export type AnyDefinition = ProcessorDefinition<object, unknown, unknown>;

export type AnyItem = StepItem<object, unknown>;

/** What a checker may read. */
export interface RestingWorld {
  readonly subject: Subject;
  readonly stages: number;
  readonly partitions: number;
  /** The input topics of the stages, in order, and the last one's output. */
  readonly topics: readonly string[];
  readonly deadLetterTopic: string;
  records(at: { topic: string; partition: number }): readonly LogRecord[];
  contents(at: { stage: number; partition: number }): ReturnType<StoreServer['contents']>;
}

/** What a job beside the processes may do. */
export interface WorkingWorld extends RestingWorld {
  readonly scheduler: Scheduler;
  readonly draw: Draw;
  /** Of programmer's errors alone. */
  readonly jobFailures: string[];
  write(record: OutgoingRecord): void;
}

/** What the processes of a world run, and what is checked of it beyond the heart's own promises. */
export interface Subject extends Layout {
  /** `number` is of the process: machines may differ. */
  define(at: { readonly stage: number; readonly number: number }): AnyDefinition;
  /** Of a log time later than all ticks so far; `n` counts them, from 1. */
  encodeLateTick(n: number): Buffer;
  /** What the step of a run without faults is given, by what the processes published. */
  toEvidence(published: readonly LogRecord[]): (item: AnyItem, position: string) => Promise<unknown>;
  /** Why a record's position is made up; undefined when it is not. `evident`: without a look at the source's log. */
  findForgery(
    world: RestingWorld,
    definition: AnyDefinition,
    record: LogRecord,
  ): { readonly cause: string; readonly evident: boolean } | undefined;
  /** Of a topic that processes write, as a reader sees it that drops repeats, and as it is. */
  checkTopic?(seen: readonly LogRecord[], records: readonly LogRecord[]): string | undefined;
  /** Of all that came of it. */
  checkAll?(world: RestingWorld): string | undefined;
  /** What runs beside the processes. */
  startJobs?(world: WorkingWorld): void;
  /** False while such work is under way. */
  isDone?(world: RestingWorld): boolean;
}
