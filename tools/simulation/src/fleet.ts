import type { Log, LogProducer } from '@perennial/kafka';
import { isAppError, must, toMessage } from '@perennial/kernel';
import { type PartitionStore, type Processor, type SnapshotSettings, startProcessor } from '@perennial/keyed-processor';
import type { ProcessorTelemetry, SnapshotTelemetry } from '@perennial/keyed-processor/internals';
import type { Redis } from '@perennial/redis';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createBlobClient } from './blob-client.js';
import type { SimulatedConsumer } from './consumer.js';
import type { ProcessAddress } from './fault.js';
import { NAMESPACE } from './layout.js';
import type { Mutant } from './mutant.js';
import type { WorldPlan } from './plan.js';
import { createSimulatedLog } from './simulated-log.js';
import { SimulatedProcess } from './simulated-process.js';
import { createStoreClient } from './store-client.js';
import type { AnyDefinition } from './subject.js';
import type { World } from './world.js';

export interface FleetOptions {
  readonly mutant: Mutant | undefined;
  readonly onTrace: ((line: string) => void) | undefined;
  /** A programmer's error that is visible nowhere else. */
  readonly onCrash: (what: string) => void;
  /** The mutant broke its rule. */
  readonly onBroken: () => void;
  readonly onStalled: (stage: number, partition: number, cause: string) => void;
}

interface Instance {
  readonly process: SimulatedProcess;
  processor: Processor | undefined;
  consumer: SimulatedConsumer | undefined;
}

/** Never used: the simulated store replaces it. */
const NO_REDIS = {} as Redis;
const logger = createSilentLogger();
const metrics = createMetrics({ service: 'simulation', namespace: NAMESPACE, processMetrics: false });

/** The processes of all stages, running the real code. */
export class Fleet {
  readonly #world: World;
  readonly #plan: WorldPlan;
  readonly #options: FleetOptions;
  readonly #instances = new Map<string, Instance>();
  #started = 0;

  constructor(world: World, plan: WorldPlan, options: FleetOptions) {
    this.#world = world;
    this.#plan = plan;
    this.#options = options;
  }

  get addresses(): ProcessAddress[] {
    return Array.from({ length: this.#plan.stages * this.#plan.processesPerStage }, (_, i) => ({
      stage: Math.floor(i / this.#plan.processesPerStage),
      process: i % this.#plan.processesPerStage,
    }));
  }

  start(at: ProcessAddress): void {
    const number = this.#started++;
    const name = `${this.#world.processorName(at.stage)}-${at.process}#${number}`;
    const process = new SimulatedProcess(name, this.#world.scheduler, this.#world.draw.fork(name));
    const instance: Instance = { process, processor: undefined, consumer: undefined };
    this.#instances.set(toKey(at), instance);
    this.#run(at, instance, number).then(
      (processor) => {
        instance.processor = processor;
      },
      (error: unknown) => {
        this.#trace(process, `could not start: ${toMessage(error)}`);
        process.kill();
        // Its supervisor tries again.
        this.start(at);
      },
    );
  }

  kill(at: ProcessAddress): void {
    const { process, consumer } = this.#instance(at);
    process.kill();
    if (consumer !== undefined) this.#world.group(at.stage).lostTouch(consumer);
  }

  /** SIGTERM: the process ends once it has released everything. */
  stop(at: ProcessAddress): void {
    const { process, processor } = this.#instance(at);
    const ended = () => process.kill();
    if (processor === undefined) this.kill(at);
    else process.enter(() => void processor.stop().then(ended, ended));
  }

  pause(at: ProcessAddress): void {
    const { process, consumer } = this.#instance(at);
    process.pause();
    if (consumer !== undefined) this.#world.group(at.stage).lostTouch(consumer);
  }

  resume(at: ProcessAddress): void {
    const { process, consumer } = this.#instance(at);
    process.resume();
    this.#world.network.resumed(process);
    if (consumer !== undefined) this.#world.group(at.stage).regainedTouch(consumer);
  }

  cutOff(at: ProcessAddress): void {
    const { process, consumer } = this.#instance(at);
    process.cutOff = true;
    if (consumer !== undefined) this.#world.group(at.stage).lostTouch(consumer);
  }

  reconnect(at: ProcessAddress): void {
    const { process, consumer } = this.#instance(at);
    process.cutOff = false;
    if (consumer !== undefined) this.#world.group(at.stage).regainedTouch(consumer);
  }

  /** Makes it reachable again, and restarts it if it has ended. */
  heal(at: ProcessAddress): void {
    const { process } = this.#instance(at);
    if (process.gone) this.start(at);
    else {
      this.reconnect(at);
      this.resume(at);
    }
  }

  #instance(at: ProcessAddress): Instance {
    return must(this.#instances.get(toKey(at)), `process ${toKey(at)}`);
  }

  #run(at: ProcessAddress, instance: Instance, number: number): Promise<Processor> {
    const { process } = instance;
    const producers: LogProducer[] = [];
    const { mutant, onBroken } = this.#options;
    let owners = 0;
    return startProcessor({
      definition: this.#define(at, number),
      namespace: NAMESPACE,
      log: this.#createLog(at, instance, producers),
      redis: NO_REDIS,
      logger,
      metrics,
      limits: this.#plan.limits,
      clock: process.clock,
      random: process.draw.fraction,
      // The form used in the names of snapshots.
      createOwner: () => `${process.name}-${owners++}`.replace('#', '-'),
      snapshots: this.#openSnapshots(at, process),
      snapshotTelemetry: this.#observeSnapshots(process),
      openStore: (partition) => {
        const place = `${this.#world.processorName(at.stage)}/${partition}`;
        const server = this.#world.store({ stage: at.stage, partition });
        const reached: PartitionStore = mutant?.atServer?.(server, onBroken) ?? server;
        const store = createStoreClient(reached, { network: this.#world.network, process, place });
        const producer = () => must(producers[0], 'a producer');
        return mutant?.inStore?.(store, { producer, process, place, onBroken }) ?? store;
      },
      telemetry: this.#observe(at.stage, process),
    });
  }

  #openSnapshots(at: ProcessAddress, process: SimulatedProcess): SnapshotSettings | undefined {
    const { blobs, network } = this.#world;
    if (this.#plan.snapshots === undefined) return undefined;
    const client = createBlobClient(blobs, { network, process });
    const { mutant, onBroken } = this.#options;
    const metaOf = (partition: number) => this.#world.store({ stage: at.stage, partition }).meta;
    const reached = mutant?.inBlobs?.(client, { metaOf, onBroken }) ?? client;
    return { blobs: reached, limits: this.#plan.snapshots.limits };
  }

  #define(at: ProcessAddress, number: number): AnyDefinition {
    const definition = this.#world.subject.define({ stage: at.stage, number });
    const { mutant, onBroken } = this.#options;
    return mutant?.inDefinition?.(definition, { world: this.#world, onBroken }) ?? definition;
  }

  #createLog(at: ProcessAddress, instance: Instance, producers: LogProducer[]): Log {
    const { scheduler, network, broker } = this.#world;
    const log = createSimulatedLog({
      process: instance.process,
      network,
      broker,
      group: this.#world.group(at.stage),
      wait: (ms) => new Promise((resolve) => void scheduler.schedule(ms, resolve)),
      onConsumer: (consumer) => {
        instance.consumer = consumer;
      },
    });
    const broken = this.#options.mutant?.inLog?.(log, this.#options.onBroken) ?? log;
    return {
      ...broken,
      async createProducer(options) {
        const producer = await broken.createProducer(options);
        producers.push(producer);
        return producer;
      },
    };
  }

  #observe(stage: number, process: SimulatedProcess): ProcessorTelemetry {
    const trace = (line: string) => this.#trace(process, line);
    return {
      acquired: (partition, { next, outboxes }) => trace(`acquired ${partition} at ${next}, ${outboxes} outboxes`),
      released: (partition) => trace(`released ${partition}`),
      fenced: (partition) => trace(`fenced ${partition}`),
      stalled: (partition, error) => {
        trace(`stalled ${partition}: ${toMessage(error)}`);
        this.#options.onStalled(stage, partition, toMessage(error));
      },
      rejected: (partition, _, { reason }) => trace(`rollout rejected ${partition}: ${reason}`),
      committed: ({ counts, outputs }) => trace(`committed ${JSON.stringify(counts)}, ${outputs.length} outputs`),
      published: () => {},
      publishFailed: (partition, error) => trace(`publishing failed ${partition}: ${toMessage(error)}`),
      observed: () => {},
      repeating: () => {},
      owns: () => {},
      consumerFailed: (error) => trace(`consumer failed: ${toMessage(error)}`),
    };
  }

  #observeSnapshots(process: SimulatedProcess): SnapshotTelemetry {
    const trace = (line: string) => this.#trace(process, line);
    return {
      written: (partition, figures) => {
        trace(`snapshot written ${partition} ${JSON.stringify(figures)}`);
        this.#world.reportedSnapshots.add(figures.snapshot);
      },
      failed: (partition, error) => {
        trace(`snapshot failed ${partition}: ${toMessage(error)}`);
        if (!isAppError(error)) this.#options.onCrash(`a snapshot failed: ${toMessage(error)}`);
      },
      removed: (partition, snapshots) => trace(`snapshots removed ${partition}: ${snapshots}`),
      aged: () => {},
      restoring: (partition, figures) => trace(`restoring ${partition} ${JSON.stringify(figures)}`),
      restored: (partition, figures) => trace(`restored ${partition} ${JSON.stringify(figures)}`),
      damaged: (partition, { snapshot, error }) => trace(`damaged ${partition} ${snapshot}: ${toMessage(error)}`),
    };
  }

  #trace(process: SimulatedProcess, line: string): void {
    this.#options.onTrace?.(`${this.#world.scheduler.nowMs} ${process.name} ${line}`);
  }
}

function toKey({ stage, process }: ProcessAddress): string {
  return `${stage}/${process}`;
}
