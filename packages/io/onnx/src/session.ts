import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { toCleanMessage } from './results.js';
import { InferenceSession } from './runtime.js';

/** ONNX Runtime's messages when memory is denied. */
const IS_MEMORY = /failed to allocate memory|bad_alloc|out of memory|array buffer allocation failed/i;

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

/** Whether a run or a load failed for want of memory. */
export function isMemoryError(error: unknown): boolean {
  return IS_MEMORY.test(toMessage(error));
}

/**
 * Opens the model on the first provider of the list that accepts it and can run it (`probe`). Throws `artifact_invalid`
 * when the CPU provider cannot open or run it, which follows from the file and this build alone; `resource_exhausted`
 * when it was denied memory; `dependency_unavailable` when the list has no CPU and no other provider can be used.
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
        // Without an arena, whether a row gets its memory does not depend on the batches before; it is no slower (default
        // model: 0.5 to 1.1 ms for 512 rows with and without).
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: 4,
      });
      await probe(session);
      return { session, provider, fallbacks };
    } catch (error) {
      if (provider === 'cpu') throw isAppError(error) ? error : toCpuError(error);
      fallbacks.push({ provider, reason: toCleanMessage(toMessage(error)) });
    }
  }
  const reasons = fallbacks.map(({ provider, reason }) => `${provider}: ${reason}`);
  throw new AppError('dependency_unavailable', `no execution provider can be used (${reasons.join('; ')})`);
}

function toCpuError(cause: unknown): AppError {
  const code = isMemoryError(cause) ? 'resource_exhausted' : 'artifact_invalid';
  return new AppError(code, `the model is rejected: ${toCleanMessage(toMessage(cause))}`, { cause });
}
