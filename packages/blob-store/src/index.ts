export { type BlobStore, checkKey, checkPrefix, KEY_BYTES_MAX } from './blob-store.js';
export { createFolderBlobStore } from './folder-blob-store.js';
