import type { ChildProcess } from 'node:child_process';

/** Kills processes and waits for their end: one that is still ending keeps Jest running after the last test. */
export async function killChildren(children: Iterable<ChildProcess>): Promise<void> {
  await Promise.all([...children].map(killChild));
}

async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.kill('SIGKILL')) await ended;
}
