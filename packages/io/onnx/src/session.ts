import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { InferenceSession } from './runtime.js';

/**
 * ONNX Runtime's messages for bytes that no machine could run. Any other message (no memory, a missing kernel) may be a
 * problem of this machine and does not show that the model is invalid.
 */
const IS_NO_MODEL = /protobuf parsing failed|invalid model|model data pointer is null/i;

/** Execution providers that configuration may request, best first. */
export const EXECUTION_PROVIDERS = ['cuda', 'tensorrt', 'webgpu', 'cpu'] as const;

export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** Why a requested provider is not in use. */
export interface ProviderFallback {
  readonly provider: ExecutionProvider;
  readonly reason: string;
}

export interface OpenedSession {
  readonly session: InferenceSession;
  readonly provider: ExecutionProvider;
  readonly fallbacks: readonly ProviderFallback[];
}

/**
 * Opens the model on the first provider of the list that accepts it and can run it (`probe`). Throws `artifact_invalid`
 * when the CPU provider finds that it is not a valid model, `dependency_unavailable` when it cannot be run here.
 */
export async function openSession(
  model: Buffer,
  providers: readonly ExecutionProvider[],
  probe: (session: InferenceSession) => Promise<void>,
): Promise<OpenedSession> {
  const fallbacks: ProviderFallback[] = [];
  for (const provider of providers) {
    try {
      const session = await InferenceSession.create(model, {
        executionProviders: [provider],
        // One thread: batches are small, the cores belong to the other partitions, and a row's bits cannot depend on how
        // work was split. Two threads were slower at every batch size up to 1,024.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      await probe(session);
      return { session, provider, fallbacks };
    } catch (error) {
      if (isAppError(error, 'artifact_invalid')) throw error;
      if (provider === 'cpu' && IS_NO_MODEL.test(toMessage(error)))
        throw new AppError('artifact_invalid', `model: ${toMessage(error)}`, { cause: error });
      fallbacks.push({ provider, reason: toMessage(error) });
    }
  }
  const reasons = fallbacks.map(({ provider, reason }) => `${provider}: ${reason}`);
  throw new AppError('dependency_unavailable', `no execution provider can be used (${reasons.join('; ')})`);
}
