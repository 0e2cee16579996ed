import { formatProblems } from '@perennial/expressions';
import { AppError } from '@perennial/kernel';
import { comparePolicies, describeArmMoves, describePolicy, findArmMoves, type PolicyChange } from '@perennial/policy';
import { Command } from 'commander';
import { line, lines, printJson, printLine, toTable } from '../output.js';
import { createEvaluateCommand } from '../policy/evaluate-command.js';
import { type PolicySources, type ReadPolicy, readPolicy, requirePolicy } from '../policy/read-policy.js';

type Options = PolicySources & { readonly json?: boolean };
type CheckOptions = Options & { readonly before?: string };

export function createPolicyCommand(): Command {
  return new Command('policy')
    .addCommand(createCheckCommand())
    .addCommand(createDiffCommand())
    .addCommand(createExplainCommand())
    .addCommand(createEvaluateCommand());
}

function createCheckCommand(): Command {
  return withOptions(
    new Command('check')
      .description(
        'list all problems of a policy at once, and strategies that can never fire or always do; starts nothing',
      )
      .argument('<file>', 'the policy: a file, the name of a preset, or "default"'),
    'print {valid, strategies, problems, findings: [{kind, file, line, column, message}], moves?}',
  )
    .option('--before <file>', 'the policy that it is to replace: says whose arm of an experiment would be another one')
    .addHelpText(
      'after',
      '\nA problem, or a strategy that can never fire, ends with exit code 2.\nExamples:\n  ./perennial policy check policy.yaml\n  ./perennial policy check policy.yaml --before default',
    )
    .action((file: string, { json, before, ...sources }: CheckOptions) => {
      const old = before === undefined ? undefined : requirePolicy(before, sources);
      const read = readPolicy(file, sources);
      const { policy, problems, findings } = read;
      const isWrong = problems.length > 0 || findings.some(({ kind }) => kind === 'never');
      const strategies = policy?.strategies.size ?? 0;
      const moves = old === undefined || policy === undefined ? undefined : findArmMoves(old, policy);
      if (json)
        printJson({ valid: !isWrong, strategies, problems, findings, ...(moves === undefined ? {} : { moves }) });
      if (isWrong) throw new AppError('config_invalid', `${file} is not right:\n${describe(read)}`);
      if (json) return;
      if (findings.length > 0) printLine(line`${describe(read)}`);
      for (const move of moves ?? []) printLine(line`${describeArmMoves(move)}`);
      printLine(line`${file} is valid: ${strategies} strategies, ${findings.length} doubts`);
    });
}

function describe({ problems, findings }: ReadPolicy): string {
  const doubts = findings.map((finding) => ({
    ...finding,
    message: `${finding.kind === 'never' ? '' : 'doubtful: '}${finding.message}`,
  }));
  return formatProblems([...problems, ...doubts]);
}

function createDiffCommand(): Command {
  return withOptions(
    new Command('diff')
      .description('what a second policy adds, removes and has otherwise, and whose arm of an experiment changes')
      .argument('<before>', 'a policy: a file, the name of a preset, or "default"')
      .argument('<after>', 'another one'),
    'print {changes: [{part, name, change, keys: [{key, before, after}]}], moves: [{experiment, toOtherArm, out, added, because}]}',
  )
    .addHelpText('after', '\nExample:\n  ./perennial policy diff default policy.yaml')
    .action((before: string, after: string, { json, ...sources }: Options) => {
      const [old, next] = [requirePolicy(before, sources), requirePolicy(after, sources)];
      const [changes, moves] = [comparePolicies(old, next), findArmMoves(old, next)];
      if (json) return printJson({ changes, moves });
      if (changes.length === 0) return printLine('both decide the same');
      return printLine(
        lines(toTable(changes.flatMap(toRows)), ...moves.map((move) => line`${describeArmMoves(move)}`)),
      );
    });
}

function toRows({ part, name, change, keys }: PolicyChange): string[][] {
  if (change !== 'changed') return [[change, part, name, '', '']];
  return keys.map(({ key, before, after }) => [change, part, name, key, `${before} -> ${after}`]);
}

function createExplainCommand(): Command {
  return withOptions(
    new Command('explain')
      .description('say in plain sentences what a policy does')
      .argument('<file>', 'the policy: a file, the name of a preset, or "default"'),
    'print {rules: [sentence], strategies: [{name, text}]}',
  )
    .addHelpText('after', '\nExample:\n  ./perennial policy explain default')
    .action((file: string, { json, ...sources }: Options) => {
      const text = describePolicy(requirePolicy(file, sources));
      if (json) return printJson(text);
      const { rules, strategies } = text;
      return printLine(
        lines(
          ...rules.map((rule) => line`${rule}`),
          '',
          toTable(strategies.map(({ name, text: what }) => [name, what])),
        ),
      );
    });
}

function withOptions(command: Command, json: string): Command {
  return command
    .option('--features <file>', 'feature spec that its conditions may read: a file, a preset, or "default"')
    .option('--lifecycle <file>', 'chart whose stages it may name; that beside the file, else the default one')
    .option('--json', json);
}
