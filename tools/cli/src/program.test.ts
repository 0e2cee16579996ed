import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { COMMAND_NAMES, createProgram } from './program.js';

/** The built program: Jest loads sources in its own way. */
const MAIN = new URL('../dist/main.js', import.meta.url).href;

/** Output of a run, and which of the installed packages it loaded. */
async function run(...args: string[]): Promise<{ stdout: string; loaded: readonly string[] }> {
  const script = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(MAIN)});
    const files = Object.keys(createRequire(${JSON.stringify(MAIN)}).cache);
    const names = files.map((file) => /.*[/]node_modules[/]((?:@[^/]+[/])?[^/]+)/.exec(file)?.[1]);
    process.stderr.write(JSON.stringify([...new Set(names)]));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
    'main.js',
    ...args,
  ]);
  return { stdout, loaded: JSON.parse(stderr) as string[] };
}

describe('the program', () => {
  it('lists every command without loading what they need', async () => {
    const { stdout, loaded } = await run('--help');
    for (const name of COMMAND_NAMES) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    expect(loaded).toEqual(['commander']);
  });

  it('loads what the named command needs', async () => {
    expect((await run('topic', '--help')).loaded).toContain('kafkajs');
  });

  it('gives a subcommand its own options, where its command has some of the same names', async () => {
    const args = ['topic', 'skip', '--namespace', 'shop', 'event.received', '--json', '--partition', '1', '--to', '5'];
    const program = await createProgram(args);
    const topic = program.commands.find((command) => command.name() === 'topic');
    const skip = topic?.commands.find((command) => command.name() === 'skip');
    let given: unknown;
    skip?.action((name: string, options: object) => {
      given = { name, ...options };
    });
    await program.parseAsync(args, { from: 'user' });
    expect(given).toEqual({ name: 'event.received', namespace: 'shop', json: true, partition: 1, to: 5 });
  });

  it.each(COMMAND_NAMES.flatMap((name) => [[[name]], [['help', name]]]))('knows the options of %j', async (args) => {
    const name = args.at(-1);
    const command = (await createProgram(args)).commands.find((candidate) => candidate.name() === name);
    expect(command?.options.length || command?.commands.length).toBeGreaterThan(0);
    expect(command?.description()).not.toBe('');
  });
});
