import { basename } from 'node:path';
import {
  formatIdPath,
  type IdentityRules,
  type IdKind,
  INITIAL_RULES,
  requireIdentityRules,
} from '@perennial/identity';
import { AppError, toMessage } from '@perennial/kernel';
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
    .argument('<file>', 'the rules, YAML or JSON')
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
    .argument('[file]', 'the rules, or "default" for those that a namespace begins with', DEFAULT_RULES)
    .option('--json', 'print {kinds: [{name, strength, read, normalise, hash, unique, maxProfiles, guarded}]}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial identity rules\n  ./perennial identity rules infra/presets/saas/identity.yaml',
    )
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
  let content: string;
  try {
    content = readBytes(file).toString('utf8');
  } catch (error) {
    throw new AppError('config_invalid', `cannot read the rules: ${toMessage(error)}`, { cause: error });
  }
  try {
    return requireIdentityRules(content, { fileName: basename(file) });
  } catch (error) {
    throw new AppError('config_invalid', `${file} has no valid rules about ids:\n${toMessage(error)}`, {
      cause: error,
    });
  }
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
