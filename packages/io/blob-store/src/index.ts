export { type BlobStore, checkKey, checkPrefix, KEY_BYTES_MAX } from './blob-store.js';
export { createFolderBlobStore } from './folder-blob-store.js';
export { type BlobLocation, openBlobStore } from './open-blob-store.js';
export type { S3Location } from './s3-blob-store.js';
