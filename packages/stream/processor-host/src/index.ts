export type { ServiceContext, ServiceRoutes } from './compose-processor-service.js';
export { defineProcessorApp, type ProcessorApp } from './define-processor-app.js';
export { createJobLease, type JobLease } from './job-lease.js';
export type { ProcessorContext } from './open-context.js';
export { openProjections } from './open-projections.js';
export type { OpenRebuild, ProcessorServiceDefinition } from './service-definition.js';
export { withArtifacts } from './with-artifacts.js';
export { withContext } from './with-context.js';
export { type OwnItem, wrapProcessor } from './wrap-processor.js';
