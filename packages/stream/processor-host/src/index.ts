export { composeProcessorService, type ServiceContext, type ServiceRoutes } from './compose-processor-service.js';
export { createJobLease, type JobLease } from './job-lease.js';
export type { ProcessorContext } from './open-context.js';
export { openProcessorRebuild } from './open-processor-rebuild.js';
export type { OpenRebuild, ProcessorServiceDefinition } from './service-definition.js';
export { withArtifacts } from './with-artifacts.js';
export { withContext } from './with-context.js';
