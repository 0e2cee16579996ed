import { HEADERS, parsePosition, toTopic } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { BlobServer } from './blob-server.js';
import { Broker } from './broker.js';
import { Draw } from './draw.js';
import { GroupCoordinator } from './group.js';
import { NAMESPACE } from './layout.js';
import { Network } from './network.js';
import type { WorldPlan } from './plan.js';
import { Scheduler } from './scheduler.js';
import type { SourceWrite } from './source.js';
import { StoreServer } from './store-server.js';
import type { Subject, WorkingWorld } from './subject.js';
import { SOURCE } from './toy.js';

/** The servers of a plan: log, groups, stores, and the network in front of them. */
export class World implements WorkingWorld {
  readonly scheduler = new Scheduler();
  readonly network: Network;
  readonly broker: Broker;
  readonly blobs: BlobServer;
  /** Ids of snapshots whose writers know that they are complete. */
  readonly reportedSnapshots = new Set<string>();
  readonly draw: Draw;
  /** Of what runs beside the processes; programmer's errors alone. */
  readonly jobFailures: string[] = [];
  readonly subject: Subject;
  readonly topics: readonly string[];
  readonly deadLetterTopic = toTopic(NAMESPACE, 'deadLettered');
  readonly stages: number;
  readonly partitions: number;
  readonly #groups: readonly GroupCoordinator[];
  readonly #stores: ReadonlyArray<readonly StoreServer[]>;

  constructor(plan: WorldPlan, subject: Subject, onTrace?: (line: string) => void) {
    const { scheduler } = this;
    this.subject = subject;
    this.stages = plan.stages;
    this.partitions = plan.partitions;
    this.draw = new Draw(plan.seed).fork('run');
    this.topics = subject.topics;
    this.network = new Network(scheduler, this.draw.fork('network'), onTrace);
    this.broker = new Broker(scheduler, {
      partitions: plan.partitions,
      topics: [...subject.otherTopics, ...this.topics, this.deadLetterTopic],
    });
    this.blobs = new BlobServer(scheduler, this.draw.fork('blobs'));
    const sessionTimeoutMs = must(plan.limits.sessionTimeoutMs, 'a session timeout');
    const { network, partitions } = this;
    this.#groups = Array.from({ length: plan.stages }, (_, stage) => {
      const draw = this.draw.fork(`group-${stage}`);
      return new GroupCoordinator({ scheduler, network, draw, partitions, sessionTimeoutMs });
    });
    this.#stores = this.#groups.map(() => Array.from({ length: plan.partitions }, () => new StoreServer(scheduler)));
  }

  records(at: { topic: string; partition: number }): readonly LogRecord[] {
    return this.broker.records(at);
  }

  contents(at: { stage: number; partition: number }): ReturnType<StoreServer['contents']> {
    return this.store(at).contents();
  }

  /** A record of the source comes after its cause in the source's own log. */
  write(record: OutgoingRecord, { forged }: Pick<SourceWrite, 'forged'> = {}): void {
    const position = parsePosition(record.headers[HEADERS.position]);
    if (position !== undefined && forged === undefined) {
      const at = { topic: SOURCE.topic, partition: record.partition };
      while (this.broker.records(at).length <= position.offset)
        this.broker.append({ ...at, key: null, value: null, headers: {} });
    }
    this.broker.append(record);
  }

  inputTopic(stage: number): string {
    return must(this.topics[stage], `the topic of stage ${stage}`);
  }

  processorName(stage: number): string {
    return must(this.subject.names[stage], `the processor of stage ${stage}`);
  }

  group(stage: number): GroupCoordinator {
    return must(this.#groups[stage], `the group of stage ${stage}`);
  }

  store({ stage, partition }: { stage: number; partition: number }): StoreServer {
    return must(this.#stores[stage]?.[partition], `store ${stage}/${partition}`);
  }

  storesOf(stages: readonly number[]): StoreServer[] {
    return stages.flatMap((stage) => this.#stores[stage] ?? []);
  }

  get stores(): StoreServer[] {
    return this.#stores.flat();
  }

  /** Virtual ms since the log last changed. */
  get quietForMs(): number {
    return this.scheduler.nowMs - this.broker.changedAtMs;
  }

  /** True when every stage has processed all of its input, according to the stores. */
  get workedOff(): boolean {
    if (this.subject.isDone?.(this) === false) return false;
    return this.#stores.every((stores, stage) =>
      stores.every((store, partition) => {
        const { meta } = store;
        const high = this.broker.records({ topic: this.inputTopic(stage), partition }).length;
        return (meta?.next ?? 0) === high && (meta?.ordinal ?? 0) === 0 && meta?.restoring === undefined;
      }),
    );
  }
}
