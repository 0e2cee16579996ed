export { type BlobStore, checkKey, checkPrefix } from './blob-store.js';
export { createFolderBlobStore } from './folder-blob-store.js';
export { type BlobLocation, openBlobStore } from './open-blob-store.js';
