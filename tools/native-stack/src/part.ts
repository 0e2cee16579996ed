import type { ProcessRef } from './process-ref.js';

/** The three parts of a stack. */
export const PARTS = ['kafka', 'postgres', 'redis'] as const;
export type Part = (typeof PARTS)[number];

/** A second listener of the broker, which advertises another port to its clients: that of a proxy in front of it. */
export interface KafkaDetour {
  readonly port: number;
  readonly advertisedPort: number;
}

/** Parameters for starting a part. */
export interface PartContext {
  readonly cacheDir: string;
  /** This part's own folder. */
  readonly dataDir: string;
  readonly logFile: string;
  readonly marker: string;
  readonly port: number;
  /** Kafka's second port, between controller and broker. */
  readonly controllerPort: number;
  readonly kafkaDetour?: KafkaDetour | undefined;
  readonly password: string;
  /** Data that will be discarded needs no fsync. */
  readonly ephemeral: boolean;
  readonly onProgress: (message: string) => void;
}

/** How one part is fetched, started, probed and stopped. */
export interface PartDriver {
  readonly label: string;
  readonly option: string;
  readonly preferredPort: number;
  readonly readyDeadlineMs: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopDeadlineMs: number;
  /** Fetches its program files into the cache. */
  prepare(context: Pick<PartContext, 'cacheDir' | 'dataDir' | 'onProgress'>): Promise<void>;
  /** Formats an empty data folder, writes configuration and starts. All that it logs goes to its output, which is kept small. */
  start(context: PartContext): Promise<ProcessRef>;
  /** Sends a request to it; throws while the answer is missing or wrong. */
  probe(context: Pick<PartContext, 'port' | 'password'>): Promise<void>;
}
