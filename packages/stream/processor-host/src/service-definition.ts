import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import type { RebuildStage } from '@perennial/keyed-processor';
import type { ServiceDefinition } from '@perennial/service-host';

/** A processor's part of a rebuild, open. */
export interface OpenRebuild {
  readonly stage: RebuildStage;
  close(): Promise<void>;
}

/** What a service with a keyed processor gives to whoever runs it: its own `main`, or a tool. */
export interface ProcessorServiceDefinition<Config extends ProcessorConfig, Rebuild extends OpenRebuild = OpenRebuild>
  extends ServiceDefinition<Config> {
  readonly name: ProcessorName;
  /** This service's part of a rebuild, by the same code and artifacts as its processor. */
  openRebuild(config: Config): Promise<Rebuild>;
}
