export { toClusterYaml } from './clusters/cluster-file.js';
export { type ClusterTexts, readClusterRequest } from './clusters/read-cluster-request.js';
export { readFeatureNames, readVectors } from './clusters/read-vectors.js';
export { type TrainedClusters, trainClusters } from './clusters/train-clusters.js';
export { exportNewest } from './export-newest.js';
export { EXPORT_LIMITS } from './limits.js';
export { type ExportTexts, readExportRequest } from './read-request.js';
export { type ExportManifest, runExport } from './run-export.js';
