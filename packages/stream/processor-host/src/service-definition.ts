import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import type { RebuildStage } from '@perennial/keyed-processor';
import type { ServiceDefinition } from '@perennial/service-host';

/** An open stage of a rebuild, for one processor. */
export interface OpenRebuild {
  readonly stage: RebuildStage;
  close(): Promise<void>;
}

/** What a service with a keyed processor exports to its own `main` and to tools. */
export interface ProcessorServiceDefinition<Config extends ProcessorConfig, Rebuild extends OpenRebuild = OpenRebuild>
  extends ServiceDefinition<Config> {
  readonly name: ProcessorName;
  /** This service's stage of a rebuild, with the same code and artifacts as its processor. */
  openRebuild(config: Config): Promise<Rebuild>;
}
