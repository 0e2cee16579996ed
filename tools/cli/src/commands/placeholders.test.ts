import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { capturePrinted } from '../printed-test-kit.js';
import { createPlaceholdersCommand } from './placeholders.js';

const printed = capturePrinted();

/** Runs the command on a platform that answers `output`; returns what the platform was asked. */
async function run(args: readonly string[], output = ''): Promise<unknown[]> {
  const asked: unknown[] = [];
  const command = createPlaceholdersCommand((namespace) => ({
    runCommand: async (service, command) => {
      asked.push([namespace, service, ...command]);
      return output;
    },
  }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('placeholders', () => {
  it('lists one id a line', async () => {
    const list = '"shop-test"  placeholder\n"guest"  id\nand the built-in ones\n';
    expect(await run(['list'], list)).toEqual([['live', 'ingest', 'placeholders', 'list']]);
    expect(printed.text).toBe(list);
  });

  it('escapes in an id what a terminal would obey', async () => {
    await run(['list'], '"a\u001b[2Jb\u202e"  placeholder\n');
    expect(printed.text).toBe('"a\\u001b[2Jb\\u202e"  placeholder\n');
  });

  it.each(['add', 'allow', 'reset'])(
    '%s passes an id on as it is, one that looks like an option too',
    async (action) => {
      expect(await run([action, '--namespace', 'shop', '--json', '--', '--force'])).toEqual([
        ['shop', 'ingest', 'placeholders', '--json', action, '--', '--force'],
      ]);
      expect(await run([action, ' Shop Guest '])).toEqual([
        ['live', 'ingest', 'placeholders', action, '--', ' Shop Guest '],
      ]);
    },
  );

  it('says when the namespace is not up', async () => {
    const command = createPlaceholdersCommand(() => {
      throw new AppError('not_found', 'namespace live is not up');
    });
    await expect(command.parseAsync(['list'], { from: 'user' })).rejects.toMatchObject({ code: 'not_found' });
    expect(printed.text).toBe('');
  });
});
