import { createConfigReader, type Environment, type ProcessorConfig, readProcessorConfig } from '@perennial/config';
import type { ExecutionProvider } from '@perennial/onnx';
import { EXECUTION_PROVIDERS } from '@perennial/onnx';

const PORT_DEFAULT = 7003;

export interface ScoringConfig extends ProcessorConfig {
  /** Execution providers in order of preference. */
  readonly providers: readonly ExecutionProvider[];
}

/** The service's environment; throws `config_invalid` with all problems. */
export function loadConfig(env: Environment): ScoringConfig {
  const reader = createConfigReader(env);
  const common = readProcessorConfig(reader, { portDefault: PORT_DEFAULT });
  const providers = reader.list('SCORING_PROVIDERS', {
    description: 'ONNX Runtime execution providers in order of wish; end with cpu to always have one',
    pattern: new RegExp(`^(${EXECUTION_PROVIDERS.join('|')})$`),
    patternHint: `one of ${EXECUTION_PROVIDERS.join(', ')}`,
    default: ['cpu'],
  });
  reader.finish();
  return Object.freeze({ ...common, providers: providers as ExecutionProvider[] });
}
