import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, toSha256 } from '@perennial/kernel';
import { runCommand } from './run-command.js';

/** `group:artifact:version`. */
export type Coordinates = `${string}:${string}:${string}`;

const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const FETCH_TIMEOUT_MS = 300_000;

/**
 * Copies artifacts (and, on request, all their dependencies) into a folder. Maven itself resolves them, with mirrors,
 * proxies and local repository as in the machine's settings.xml.
 */
export async function fetchArtifacts(
  artifacts: readonly Coordinates[],
  folder: string,
  { transitive }: { transitive: boolean },
): Promise<void> {
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, toPom(artifacts));
  const flags = [
    '-q',
    '-B',
    '--strict-checksums',
    '-f',
    pom,
    `-DoutputDirectory=${folder}`,
    `-DexcludeTransitive=${!transitive}`,
  ];
  try {
    await runCommand('mvn', [`${DEPENDENCY_PLUGIN}:copy-dependencies`, ...flags], { timeoutMs: FETCH_TIMEOUT_MS });
  } catch (cause) {
    throw new AppError(
      'dependency_unavailable',
      `Maven could not fetch ${artifacts.join(', ')}: ${(cause as Error).message}`,
      { cause, retriable: true },
    );
  }
  rmSync(pom);
}

/**
 * Compares files with lines of `<sha256>  <name>`. Throws `contract_violation` naming the first missing or different
 * one.
 */
export function verifySha256(folder: string, sums: string): void {
  for (const line of sums.trim().split('\n')) {
    const [expected, name] = line.split(/\s+/) as [string, string];
    let actual = 'missing';
    try {
      actual = toSha256(readFileSync(join(folder, name)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (actual !== expected)
      throw new AppError('contract_violation', `${name} should have SHA-256 ${expected} but is ${actual}`);
  }
}

/** A Maven project that depends on just these artifacts. */
export function toPom(artifacts: readonly Coordinates[]): string {
  const dependencies = artifacts.map((coordinates) => {
    const [groupId, artifactId, version] = coordinates.split(':');
    return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>perennial</groupId><artifactId>native-stack</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('\n');
}
