import { basename } from 'node:path';
import {
  formatIdPath,
  type IdentityRules,
  type IdKind,
  INITIAL_RULES,
  requireIdentityRules,
} from '@perennial/identity';
import { AppError, toMessage } from '@perennial/kernel';
import { listPresets, toIdentityPath } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { line, printJson, printLine, toTable } from '../output.js';
import { readBytes } from '../read-text.js';

interface Options {
  readonly json?: boolean;
}

/** Names the rules that a namespace begins with, as in `up --identity default`. */
const DEFAULT_RULES = 'default';

export function createCheckRulesCommand(): Command {
  return new Command('check')
    .description('read rules about ids as the platform would, and list all problems at once; starts nothing')
    .argument('<file>', 'the rules, YAML or JSON, or the name of a preset')
    .option('--json', 'print {kinds: [name]}')
    .addHelpText('after', '\nExample:\n  ./perennial identity check identity.yaml')
    .action((file: string, { json }: Options) => {
      const names = readRules(file).kinds.map(({ name }) => name);
      if (json) return printJson({ kinds: names });
      return printLine(line`${file} is valid: ${names.length} kinds of ids, the strongest first: ${names.join(', ')}`);
    });
}

export function createShowRulesCommand(): Command {
  return new Command('rules')
    .description('list the kinds of ids that rules have, the strongest first: where each is read, and what it joins')
    .argument(
      '[file]',
      'the rules, the name of a preset, or "default" for those that a namespace begins with',
      DEFAULT_RULES,
    )
    .option('--json', 'print {kinds: [{name, strength, read, normalise, hash, unique, maxProfiles, guarded}]}')
    .addHelpText('after', '\nExamples:\n  ./perennial identity rules\n  ./perennial identity rules saas')
    .action((file: string, { json }: Options) => {
      const { kinds } = readRules(file);
      if (json) return printJson({ kinds: kinds.map(toJson) });
      return printLine(
        toTable(
          kinds.map((kind) => [
            kind.name,
            kind.strength,
            describeForm(kind),
            describeLimit(kind),
            kind.read.map(formatIdPath).join(', '),
          ]),
        ),
      );
    });
}

function readRules(file: string): IdentityRules {
  if (file === DEFAULT_RULES) return INITIAL_RULES;
  const path = toRulesPath(file);
  let content: string;
  try {
    content = readBytes(path).toString('utf8');
  } catch (error) {
    throw new AppError('config_invalid', `cannot read the rules: ${toMessage(error)}`, { cause: error });
  }
  try {
    return requireIdentityRules(content, { fileName: basename(path) });
  } catch (error) {
    throw new AppError('config_invalid', `${file} has no valid rules about ids:\n${toMessage(error)}`, {
      cause: error,
    });
  }
}

/** The file of a preset for its name, and any other path as it is. */
export function toRulesPath(file: string): string {
  const { root } = toLayout();
  return listPresets(root).includes(file) ? toIdentityPath(root, file) : file;
}

function toJson({ read, guarded, ...kind }: IdKind) {
  return { ...kind, read: read.map(formatIdPath), guarded: [...guarded] };
}

function describeForm({ normalise, callingCode, hash }: IdKind): string {
  const form = normalise === 'none' ? 'as it comes' : normalise;
  return [callingCode === undefined ? form : `${form} +${callingCode}`, ...(hash === undefined ? [] : [hash])].join(
    ' ',
  );
}

function describeLimit({ unique, maxProfiles }: IdKind): string {
  const limits = [...(unique ? ['unique'] : []), ...(maxProfiles === undefined ? [] : [`${maxProfiles} profiles`])];
  return limits.join(', ');
}
