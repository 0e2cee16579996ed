// Docker Compose as a few functions: a project with its own name, commands with visible output, answers as text.
import { spawn, spawnSync } from 'node:child_process';

/** Why no container engine is available, as text; undefined when one is. */
export function findEngineProblem() {
  const engine = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { encoding: 'utf8', timeout: 20_000 });
  if (engine.error?.code === 'ENOENT') return 'docker is not on the PATH';
  if (engine.status !== 0) return `no Docker engine answers: ${(engine.stderr || engine.stdout).trim().split('\n')[0]}`;
  const compose = spawnSync('docker', ['compose', 'version', '--short'], { encoding: 'utf8', timeout: 20_000 });
  if (compose.status !== 0) return 'the Compose plugin (docker compose, version 2) is not installed';
  return undefined;
}

/** A Compose project: `run` shows the output and throws on failure, `read` gives stdout. `env` adds to the environment. */
export function createCompose({ root, project, env = {} }) {
  const base = ['compose', '--project-name', project, '--project-directory', root];
  const options = { cwd: root, env: { ...process.env, ...env } };

  function run(args, { timeoutMs = 900_000 } = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn('docker', [...base, ...args], {
        ...options,
        stdio: ['ignore', 'inherit', 'inherit'],
        timeout: timeoutMs,
      });
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        code === 0 ? resolve() : reject(new Error(`docker compose ${args[0]} ended with ${signal ?? `code ${code}`}`)),
      );
    });
  }

  function read(args, { timeoutMs = 60_000 } = {}) {
    const result = spawnSync('docker', [...base, ...args], {
      ...options,
      encoding: 'utf8',
      timeout: timeoutMs,
      maxBuffer: 64 << 20,
    });
    if (result.error) throw result.error;
    if (result.status !== 0)
      throw new Error(`docker compose ${args.join(' ')} failed: ${result.stderr.trim() || result.stdout.trim()}`);
    return result.stdout;
  }

  /** `http://127.0.0.1:<port>` of a service's published port. */
  const urlOf = (service, port) => `http://${read(['port', service, String(port)]).trim()}`;

  return { run, read, urlOf };
}
