import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { parseManifest } from './manifest.js';

/** Largest packed model; a registry keeps it as one value. */
export const PACKED_BYTES_MAX = 64 * 1024 * 1024;

const MAGIC = Buffer.from('PNM1');
const HEADER_BYTES = MAGIC.length + 4;

/** A model folder's two files, in memory. */
export interface ModelFiles {
  readonly manifest: Buffer;
  readonly model: Buffer;
}

/** Reads `manifest.json` and the file it names; throws `model_refused` when either is not there. */
export async function readModelFolder(folder: string): Promise<ModelFiles> {
  const manifest = await readPart(folder, 'manifest.json');
  const parsed = parseManifest(manifest);
  // A manifest with problems is refused later, with all of them; the usual name lets that come to words.
  const name = 'manifest' in parsed ? parsed.manifest.file.name : 'model.onnx';
  return { manifest, model: await readPart(folder, name) };
}

/** One blob of a model folder: magic, length of the manifest, manifest, model. The same files give the same bytes. */
export function packFiles(files: ModelFiles): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(files.manifest.length);
  const packed = Buffer.concat([MAGIC, length, files.manifest, files.model]);
  if (packed.length > PACKED_BYTES_MAX) {
    throw new AppError(
      'limit_exceeded',
      `the model has ${packed.length} bytes, ${PACKED_BYTES_MAX} at most are allowed`,
    );
  }
  return packed;
}

/** Reads a folder and packs it. */
export async function packModel(folder: string): Promise<Buffer> {
  return packFiles(await readModelFolder(folder));
}

/** The files of a packed model; throws `model_refused` when the bytes are no such thing. */
export function unpackModel(packed: Buffer): ModelFiles {
  if (packed.length < HEADER_BYTES || !packed.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new AppError('model_refused', 'this is not a packed model');
  }
  const end = HEADER_BYTES + packed.readUInt32BE(MAGIC.length);
  if (end > packed.length) throw new AppError('model_refused', 'the packed model is cut short');
  return { manifest: packed.subarray(HEADER_BYTES, end), model: packed.subarray(end) };
}

async function readPart(folder: string, name: string): Promise<Buffer> {
  const path = join(folder, name);
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError('model_refused', `cannot read ${path}`, { cause });
  }
}
