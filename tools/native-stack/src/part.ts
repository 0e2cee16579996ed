import type { ProcessRef } from './process-ref.js';

/** The three things a stack is made of. */
export const PARTS = ['kafka', 'postgres', 'redis'] as const;
export type Part = (typeof PARTS)[number];

/** A second listener of the broker, whose clients are told another port: that of a proxy in front of it. */
export interface KafkaDetour {
  readonly port: number;
  readonly advertisedPort: number;
}

/** What a part needs to know to be started. */
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
  /** Data that is thrown away needs no fsync. */
  readonly ephemeral: boolean;
  readonly onProgress: (message: string) => void;
}

/** How one part is fetched, started, asked whether it is there, and stopped. */
export interface PartDriver {
  readonly label: string;
  readonly option: string;
  readonly preferredPort: number;
  readonly readyDeadlineMs: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopDeadlineMs: number;
  /** Brings what it runs from into the cache. */
  prepare(context: Pick<PartContext, 'cacheDir' | 'onProgress'>): Promise<void>;
  /** Formats an empty data folder, writes configuration and starts. */
  start(context: PartContext): Promise<ProcessRef>;
  /** Talks to it; throws while it does not answer as it should. */
  probe(context: Pick<PartContext, 'port' | 'password'>): Promise<void>;
}
