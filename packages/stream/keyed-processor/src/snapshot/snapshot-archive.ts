import type { BlobStore } from '@perennial/blob-store';
import { type Clock, isAppError, retry, toSha256 } from '@perennial/kernel';
import type { StoredProfile } from '../store/store.js';
import {
  damaged,
  decodeChunk,
  decodeManifest,
  encodeChunk,
  encodeManifest,
  type SnapshotChunk,
  type SnapshotManifest,
} from './snapshot-format.js';
import type { SnapshotLimits } from './snapshot-limits.js';

/** The partition that the snapshots belong to; a snapshot of another one is invalid. */
export interface SnapshotSubject {
  readonly namespace: string;
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number;
}

export interface SnapshotArchiveOptions {
  readonly blobs: BlobStore;
  readonly subject: SnapshotSubject;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  readonly random: () => number;
}

const OFFSET_DIGITS = 16;
const ID = /^(\d{16})\.(\d+)\.[A-Za-z0-9_-]+$/;

/** Ids sort by the offset at which the snapshot began, then by time; the owner makes them unique. */
export function toSnapshotId(parts: { beginNext: number; createdAtMs: number; owner: string }): string {
  return `${String(parts.beginNext).padStart(OFFSET_DIGITS, '0')}.${parts.createdAtMs}.${parts.owner}`;
}

/** Time at which the snapshot began, by its writer's clock; undefined for a name that is not a snapshot's. */
export function toCreatedAtMs(id: string): number | undefined {
  const text = ID.exec(id)?.[2];
  return text === undefined ? undefined : Number(text);
}

/** The snapshots of one partition in a blob store: `manifests/<id>` and `chunks/<id>/<number>`. */
export class SnapshotArchive {
  readonly subject: SnapshotSubject;
  readonly #options: SnapshotArchiveOptions;
  readonly #prefix: string;

  constructor(options: SnapshotArchiveOptions) {
    const { namespace, processor, partition } = options.subject;
    this.subject = options.subject;
    this.#options = options;
    this.#prefix = `${namespace}/${processor}/${partition}`;
  }

  /** Ids of the complete snapshots, latest beginning first. */
  async list(): Promise<string[]> {
    const prefix = `${this.#prefix}/manifests/`;
    const keys = await this.#try(() => this.#options.blobs.list(prefix));
    const ids = keys.map((key) => key.slice(prefix.length)).filter((id) => ID.test(id));
    return ids.sort((a, b) => compareIds(b, a));
  }

  /** Ids of all snapshots that have chunks, complete or not. */
  async listWithChunks(): Promise<string[]> {
    const prefix = `${this.#prefix}/chunks/`;
    const keys = await this.#try(() => this.#options.blobs.list(prefix));
    return [...new Set(keys.map((key) => key.slice(prefix.length).split('/')[0] ?? ''))].filter((id) => ID.test(id));
  }

  /** Throws `data_damaged` when the manifest is absent, damaged, or of another partition. */
  async readManifest(id: string): Promise<SnapshotManifest> {
    const bytes = await this.#try(() => this.#options.blobs.get(`${this.#prefix}/manifests/${id}`));
    if (bytes === undefined) throw damaged(`snapshot ${id} is not there`);
    const manifest = decodeManifest(bytes);
    const problem = this.#compare(manifest, id);
    if (problem !== undefined) throw damaged(`snapshot ${id} is not of this partition: ${problem}`);
    return manifest;
  }

  async writeManifest(manifest: SnapshotManifest): Promise<void> {
    const bytes = encodeManifest(manifest);
    await this.#try(() => this.#options.blobs.put(`${this.#prefix}/manifests/${manifest.id}`, bytes));
  }

  /** Throws `data_damaged` when the chunk is absent or its bytes do not match the manifest. */
  async readChunk(id: string, chunk: SnapshotChunk): Promise<StoredProfile[]> {
    const bytes = await this.#try(() => this.#options.blobs.get(this.#toChunkKey(id, chunk.number)));
    const what = `chunk ${chunk.number} of snapshot ${id}`;
    if (bytes === undefined) throw damaged(`${what} is not there`);
    if (bytes.length !== chunk.bytes || toSha256(bytes) !== chunk.sha256)
      throw damaged(`${what}: its checksum is wrong`);
    return decodeChunk(bytes);
  }

  async writeChunk(
    id: string,
    chunk: { readonly number: number; readonly asOf: number; readonly profiles: readonly StoredProfile[] },
  ): Promise<SnapshotChunk> {
    const bytes = encodeChunk(chunk.profiles);
    await this.#try(() => this.#options.blobs.put(this.#toChunkKey(id, chunk.number), bytes));
    const { number, asOf, profiles } = chunk;
    return { number, asOf, profiles: profiles.length, bytes: bytes.length, sha256: toSha256(bytes) };
  }

  /** The manifest is removed first, so that a half-removed snapshot is no longer a snapshot. */
  async remove(id: string): Promise<void> {
    await this.#try(() => this.#options.blobs.delete(`${this.#prefix}/manifests/${id}`));
    for (const key of await this.#try(() => this.#options.blobs.list(`${this.#prefix}/chunks/${id}/`))) {
      await this.#try(() => this.#options.blobs.delete(key));
    }
  }

  #compare(manifest: SnapshotManifest, id: string): string | undefined {
    const expected = { ...this.subject, id };
    const wrong = (Object.keys(expected) as Array<keyof typeof expected>).find(
      (name) => manifest[name] !== expected[name],
    );
    return wrong && `its ${wrong} is ${manifest[wrong]}, not ${expected[wrong]}`;
  }

  #toChunkKey(id: string, number: number): string {
    return `${this.#prefix}/chunks/${id}/${String(number).padStart(6, '0')}`;
  }

  #try<T>(operation: () => Promise<T>): Promise<T> {
    const { limits, clock, random } = this.#options;
    return retry(operation, {
      initialMs: limits.retryInitialMs,
      maxMs: limits.retryMaxMs,
      attemptsMax: limits.blobAttemptsMax,
      clock,
      random,
      isRetriable: (error) => isAppError(error) && error.retriable,
    });
  }
}

function compareIds(a: string, b: string): number {
  const [offsetA, offsetB] = [a.slice(0, OFFSET_DIGITS), b.slice(0, OFFSET_DIGITS)];
  if (offsetA !== offsetB) return offsetA < offsetB ? -1 : 1;
  return (toCreatedAtMs(a) ?? 0) - (toCreatedAtMs(b) ?? 0) || (a < b ? -1 : a > b ? 1 : 0);
}
