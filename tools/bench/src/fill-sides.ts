import { type BlobStore, createFolderBlobStore } from '@perennial/blob-store';
import { AcceptedRecord, encodeControl, type Rollout, toTopic } from '@perennial/contracts';
import { EventArchive, ParquetFileWriter } from '@perennial/event-archive';
import { DAY_MS, ECOMMERCE_FEATURES, encodeFeatureSpec, type FeatureDefinition } from '@perennial/feature-engine';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { createLogReader } from '@perennial/keyed-processor';
import { createParts, fillPartition } from '@perennial/service-feature-store';
import { createMetrics } from '@perennial/telemetry';

type Parts = ReturnType<typeof createParts>;
type Definition = Parts['definition'];
type Item = Parameters<Definition['step']>[0];
type Evidence = Parameters<Definition['step']>[1];

const ORDERS = { type: 'track', name: 'Order Completed' } as const;
const PAID = { kind: 'amount', properties: ['revenue'], absolute: false } as const;
const PRODUCTS = { kind: 'id', properties: ['product_id'], list: 'products' } as const;

/** What a change of a spec may add: one feature of each kind of accumulator, over the life or a year. */
const ADDED: readonly FeatureDefinition[] = [
  { name: 'orders_std_all', unit: 'currency', event: ORDERS, aggregation: 'std', measure: PAID, windowMs: undefined },
  {
    name: 'orders_max_180d',
    unit: 'currency',
    event: ORDERS,
    aggregation: 'max',
    measure: PAID,
    windowMs: 180 * DAY_MS,
  },
  { name: 'orders_first', unit: 'currency', event: ORDERS, aggregation: 'first', measure: PAID, windowMs: undefined },
  { name: 'days_all', unit: 'days', event: undefined, aggregation: 'active_days', windowMs: undefined },
  {
    name: 'products_all',
    unit: 'products',
    event: ORDERS,
    aggregation: 'distinct',
    measure: PRODUCTS,
    windowMs: undefined,
  },
  { name: 'events_decayed', unit: 'events', event: undefined, aggregation: 'decayed_count', halfLifeMs: 7 * DAY_MS },
];
const GROWN = [...ECOMMERCE_FEATURES, ...ADDED];
const HASH = toSha256(encodeFeatureSpec(GROWN));
const SECRET = 'a secret of the fill bench, of 32 characters';

/** The number of features before a change of a spec, and of those that it adds. */
export const FEATURE_COUNTS = { before: ECOMMERCE_FEATURES.length, added: ADDED.length };

/** An archive that ends with the rollout of a spec that is to be filled, and the code of feature-store that reads it. */
export class FillSides {
  readonly #archive: EventArchive;
  readonly #namespace: string;
  readonly #blobs: BlobStore;
  readonly #artifacts = createMemoryArtifacts();
  readonly #parts: Parts;

  constructor(folder: string, namespace: string) {
    this.#blobs = createFolderBlobStore(folder);
    this.#archive = new EventArchive(this.#blobs, namespace);
    this.#namespace = namespace;
    const metrics = createMetrics({ service: 'bench', namespace, processMetrics: false });
    this.#parts = createParts({
      config: { secret: SECRET },
      namespace,
      metrics,
      artifactStore: this.#artifacts as never,
    });
  }

  /** Appends the rollouts of the wider spec to every partition. */
  async rollOut(atMs: number): Promise<void> {
    await this.#artifacts.put('features', encodeFeatureSpec(GROWN));
    await this.#parts.artifacts.loadAll();
    const topic = toTopic(this.#namespace, 'eventAccepted');
    for (const [partition, { next }] of await this.#archive.list()) {
      const writer = new ParquetFileWriter({ rowGroupRows: 250 });
      for (const [index, kind] of ['feature-filling', 'features'].entries()) {
        const rollout: Rollout = { kind, number: 2, hash: HASH };
        const value = encodeControl(AcceptedRecord, { kind: 'rollout', rollout });
        writer.add({ topic, partition, offset: next + index, timestampMs: atMs, headers: {}, key: null, value });
      }
      await this.#archive.write({ partition, first: next, last: next + 1, appendTimeMs: atMs }, writer.finish());
    }
  }

  /** What the processor's steps do with the same records, under the wider spec: without Kafka and Redis. Returns the profiles. */
  async foldLive(): Promise<number> {
    const { definition } = this.#parts;
    let profiles = 0;
    for (const [, archived] of await this.#archive.list()) {
      const reader = createLogReader(definition as never);
      const states = new Map<string, Item['state']>();
      let logTimeMs = 0;
      const inForce = new Map([['features', { kind: 'features', number: 2, hash: HASH }]]);
      for await (const records of this.#archive.readLog(archived, archived.next)) {
        const entries = await reader.read(records as never);
        const toItem = (entry: (typeof entries)[number]): Item[] => {
          if (entry.decoded.kind === 'tick') logTimeMs = entry.decoded.timeMs;
          if (entry.decoded.kind !== 'record') return [];
          const { key, input } = entry.decoded;
          const context = { key, partition: 0, offset: entry.offset, ordinal: 0, logTimeMs, inForce };
          return [{ state: undefined, cause: { kind: 'record', input }, context } as unknown as Item];
        };
        const items = entries.flatMap(toItem);
        const evidence = await must(definition.prepare, 'it prepares')(items as never);
        for (const [index, item] of items.entries()) {
          const { key } = item.context;
          const { state } = definition.step({ ...item, state: states.get(key) }, evidence[index] as Evidence);
          // As the working set does: a state is stored as bytes, and decoded no more while it is used.
          if (state !== undefined) definition.codec.encode(state);
          states.set(key, state);
        }
      }
      profiles += states.size;
    }
    return profiles;
  }

  /** Fills every partition from its beginning. Returns the profiles, and the bytes of what was written of them. */
  async fill({ share, signal }: { readonly share: number; readonly signal?: AbortSignal | undefined }) {
    const { definition, specs, artifacts } = this.#parts;
    const target = {
      spec: specs.inForce({ hash: HASH }),
      specs,
      hash: HASH,
      definition: definition as never,
      rates: artifacts.rates,
    };
    let profiles = 0;
    let bytes = 0;
    for (const partition of (await this.#archive.list()).keys()) {
      const fill = await fillPartition(
        {
          namespace: this.#namespace,
          archive: this.#archive,
          blobs: createMemoryBlobs(),
          store: this.#artifacts as never,
          target,
          limits: { dutyShareMax: share },
          ...(signal === undefined ? {} : { signal }),
        },
        partition,
      );
      if (fill === undefined)
        throw new AppError('data_damaged', `the archive of partition ${partition} has no rollout`);
      profiles += fill.profiles;
      for (const { hash } of fill.parts) bytes += (await this.#artifacts.load('feature-fill-part', hash)).length;
    }
    return { profiles, bytes };
  }
}

function createMemoryArtifacts() {
  const known = new Map<string, Buffer>();
  const hashes = new Set<string>();
  return {
    list: async (kind: string) => (kind === 'features' ? [...hashes] : []),
    async load(_: string, hash: string) {
      return must(known.get(hash), 'an artifact');
    },
    async put(kind: string, bytes: Buffer) {
      const hash = toSha256(bytes);
      known.set(hash, bytes);
      if (kind === 'features') hashes.add(hash);
      return hash;
    },
  };
}

/** Of checkpoints and results: nothing is to be continued. */
function createMemoryBlobs(): Pick<BlobStore, 'get' | 'put' | 'delete'> & BlobStore {
  const objects = new Map<string, Buffer>();
  const blobs: Pick<BlobStore, 'get' | 'put' | 'delete'> = {
    get: async (name) => objects.get(name),
    put: async (name, bytes) => void objects.set(name, bytes),
    delete: async (name) => void objects.delete(name),
  };
  return blobs as BlobStore;
}
