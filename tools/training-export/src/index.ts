export { EXPORT_LIMITS } from './limits.js';
export { type ExportTexts, readExportRequest } from './read-request.js';
export { type ExportManifest, runExport } from './run-export.js';
