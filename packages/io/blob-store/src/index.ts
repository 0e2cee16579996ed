export { type BlobStore, checkKey, checkPrefix, type StreamingBlobStore } from './blob-store.js';
export { createFolderBlobStore } from './folder-blob-store.js';
export { type BlobLocation, openBlobStore } from './open-blob-store.js';
