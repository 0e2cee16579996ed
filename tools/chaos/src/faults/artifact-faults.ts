import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact } from '@perennial/artifacts';
import { ARTIFACT_KIND_NAMES, ARTIFACT_KINDS, type ArtifactKind } from '@perennial/contracts';
import { AppError, must, systemClock } from '@perennial/kernel';
import { toDefaultPath } from '@perennial/launcher';
import { createArtifactSurgery } from '../artifact-surgery.js';
import { readInForce, readRejections, readStandstills } from '../in-force.js';
import type { World } from '../world.js';
import type { Draw, Fault } from './fault.js';

/** The other lane may inject a fault into the service meanwhile, and each step then waits for a session timeout. */
const SEEN_WITHIN_MS = 90_000;
const POLL_MS = 500;

/**
 * Registers an unusable artifact under its correct hash: it must be rejected on each partition, and never be in force.
 */
const invalidRollout: Fault = {
  name: 'invalid-rollout',
  row: 18,
  lane: 'infrastructure',
  async run(world, draw) {
    const kind = draw.pick(ARTIFACT_KIND_NAMES);
    const bytes = await toUseless(world, kind, draw);
    const bad = await (await createArtifactSurgery(world.platform, kind)).insert(bytes);
    await rollOut(world, bad);
    await waitFor(world, `rejections of ${kind} ${bad.number}`, async () => (await readRejections(world, bad)).size);
    await requireElse(world, bad);
    return `${kind} ${bad.number}, rejected on ${world.partitions} partitions`;
  },
};

/**
 * Registers a valid artifact and damages its stored bytes: the service must wait, report it, and continue when it is
 * registered again.
 */
const damagedArtifact: Fault = {
  name: 'damaged-artifact',
  row: 18,
  lane: 'infrastructure',
  async run(world, draw) {
    const kind = draw.pick(ARTIFACT_KIND_NAMES);
    const path = makeVariant(world, kind, draw);
    const artifact = await register(world, kind, path);
    const surgery = await createArtifactSurgery(world.platform, kind);
    await surgery.write(artifact.hash, flipByte(await surgery.read(artifact.hash), draw));
    await rollOut(world, artifact);
    await waitForStandstill(world, kind);
    await requireElse(world, artifact);
    await register(world, kind, path);
    await waitFor(world, `${kind} ${artifact.number} in force`, async () => {
      const inForce = await readInForce(world, kind);
      return inForce.filter((rollout) => rollout?.hash === artifact.hash).length;
    });
    return `${kind} ${artifact.number}, waited for, repaired and in force on ${world.partitions} partitions`;
  },
};

/** Damages the artifact in force and restarts the service: it must stall until the bytes are restored. */
const damagedAtStart: Fault = {
  name: 'damaged-at-start',
  row: 18,
  lane: 'infrastructure',
  async run(world, draw) {
    const kind = draw.pick(ARTIFACT_KIND_NAMES);
    const surgery = await createArtifactSurgery(world.platform, kind);
    const inForce = await readInForce(world, kind);
    const hashes = new Set(inForce.flatMap((rollout) => rollout?.hash ?? []));
    const whole = await Promise.all([...hashes].map(async (hash) => [hash, await surgery.read(hash)] as const));
    for (const [hash, bytes] of whole) await surgery.write(hash, flipByte(bytes, draw));
    for (const instance of world.fleet.of(ARTIFACT_KINDS[kind].owner)) world.fleet.kill(instance);
    await waitForStandstill(world, kind);
    for (const [hash, bytes] of whole) await surgery.write(hash, bytes);
    return `${kind}, ${ARTIFACT_KINDS[kind].owner} killed, stood still on ${world.partitions} partitions until repaired`;
  },
};

/** The shipped artifact, with a mistake that `register` would reject. */
async function toUseless(world: World, kind: ArtifactKind, draw: Draw): Promise<Buffer> {
  if (kind === 'model') {
    const { hash } = must((await readInForce(world, kind)).find(Boolean), 'a model in force');
    const manifest = await (await createArtifactSurgery(world.platform, kind)).read(hash);
    const mistake = { kind: `chaos ${draw.between(0, 1e9)}` };
    return Buffer.from(JSON.stringify({ ...(JSON.parse(manifest.toString()) as object), ...mistake }));
  }
  const whole = readFileSync(toDefaultPath(world.platform.layout.root, kind), 'utf8');
  const mistakes = {
    features: ['"count"', '"counting"'],
    rates: ['currency: USD', 'currency: dollars'],
    identity: ['strength: 240', 'strength: 24'],
    lifecycle: ['initial: prospect', 'initial: nowhere'],
    segments: ['within: 1h', 'within: soon'],
    policy: ['max: 1,', 'max: many,'],
  } as const;
  const [right, wrong] = mistakes[kind];
  const remark = kind === 'features' ? ' '.repeat(draw.between(1, 1e4)) : `# ${draw.between(0, 1e9)}`;
  return Buffer.from(`${whole.replace(right, wrong)}${remark}\n`);
}

/** The shipped artifact with a unique comment, in a file that `register` can read. */
function makeVariant({ platform }: World, kind: ArtifactKind, draw: Draw): string {
  const remark = `chaos ${draw.between(0, 1e9)}`;
  const source = toDefaultPath(platform.layout.root, kind);
  const folder = join(platform.layout.home, 'artifacts-of-chaos');
  const path = join(folder, kind);
  mkdirSync(folder, { recursive: true });
  rmSync(path, { recursive: true, force: true });
  cpSync(source, path, { recursive: true });
  if (kind === 'model') {
    const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as object;
    writeFileSync(join(path, 'manifest.json'), JSON.stringify({ ...manifest, remark }));
  } else if (kind === 'features') writeFileSync(path, toOtherOrder(readFileSync(path, 'utf8'), draw));
  else writeFileSync(path, `${readFileSync(path, 'utf8')}# ${remark}\n`);
  return path;
}

/** The same features in another order: a different spec in which none is missing. */
function toOtherOrder(text: string, draw: Draw): string {
  const spec = JSON.parse(text) as { features: unknown[] };
  const features = spec.features.map((feature) => ({ feature, at: draw.between(0, 1e9) }));
  features.sort((a, b) => a.at - b.at);
  return JSON.stringify({ ...spec, features: features.map(({ feature }) => feature) });
}

function flipByte(bytes: Buffer, draw: Draw): Buffer {
  const damaged = Buffer.from(bytes);
  const at = draw.between(0, bytes.length - 1);
  damaged.writeUInt8(damaged.readUInt8(at) ^ draw.between(1, 255), at);
  return damaged;
}

async function register({ platform }: World, kind: ArtifactKind, path: string): Promise<Artifact> {
  const answer = await platform.runCommand(ARTIFACT_KINDS[kind].owner, ['register', kind, path]);
  const { number, hash } = JSON.parse(must(answer.trim().split('\n').at(-1), 'an answer')) as Artifact;
  return { kind, number, hash };
}

async function rollOut({ platform }: World, { kind, number, hash }: Artifact): Promise<void> {
  await platform.runCommand('ingest', ['rollout', '--kind', kind, '--number', String(number), '--hash', hash]);
}

function waitForStandstill(world: World, kind: ArtifactKind): Promise<void> {
  return waitFor(world, `standstills for the ${kind}`, async () => (await readStandstills(world, kind)).size);
}

/** Waits until the count is reached on every partition. */
async function waitFor({ partitions }: World, what: string, count: () => Promise<number>): Promise<void> {
  const deadline = systemClock.now() + SEEN_WITHIN_MS;
  for (;;) {
    const found = await count();
    if (found === partitions) return;
    if (systemClock.now() > deadline) throw new AppError('timeout', `${what}: on ${found} of ${partitions} partitions`);
    await systemClock.wait(POLL_MS);
  }
}

/** Throws when the artifact is in force anywhere. */
async function requireElse(world: World, { kind, number, hash }: Artifact): Promise<void> {
  const inForce = await readInForce(world, kind);
  const wrong = inForce.flatMap((rollout, partition) => (rollout?.hash === hash ? [partition] : []));
  if (wrong.length > 0)
    throw new AppError('contract_violation', `${kind} ${number} is in force on partitions ${wrong.join(', ')}`);
}

export const ARTIFACT_FAULTS: readonly Fault[] = [invalidRollout, damagedArtifact, damagedAtStart];
