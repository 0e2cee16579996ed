import type { Part, StackEndpoints } from '@perennial/native-stack';
import type { ArtifactChoices } from './check-artifacts.js';
import type { ClockMode } from './environment.js';

export interface PlatformOptions {
  /** The repository; detected when absent. */
  readonly root?: string | undefined;
  /** Folder of state, data and logs; default `<root>/.perennial`. Tests pass their own. */
  readonly home?: string | undefined;
  /** Default `live`. */
  readonly namespace?: string | undefined;
  /** Default `wall` for live and `events` for any other; fixed when the namespace is created. */
  readonly clockMode?: ClockMode | undefined;
  /** All services in one process. */
  readonly oneProcess?: boolean | undefined;
  /** Fixed when the namespace is created; default DEFAULT_PARTITIONS. */
  readonly partitions?: number | undefined;
  readonly stackPorts?: Partial<Record<Part, number>> | undefined;
  /** Fixed port of the front door; the other services use a preferred one or, where taken, any free one. */
  readonly ingestPort?: number | undefined;
  /**
   * A feature spec, model folder, lifecycle chart or policy other than the default. Once in force it is kept until
   * another is given, or null: the default again.
   */
  readonly artifactPaths?: ArtifactChoices | undefined;
  /** A stack that runs already (tests); otherwise the installation's own is started. */
  readonly endpoints?: StackEndpoints | undefined;
  /** Further variables for every service. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}
