export type { ArchivedLog } from './archived-log.js';
export { type Archiver, startArchiver } from './archiver.js';
export { EventArchive } from './event-archive.js';
export { ParquetFileWriter } from './parquet-file.js';
