import { Command, Option } from 'commander';
import { createNamespaceOption, createPartitionsOption } from '../options.js';

/** `replay`: history through the front door in fast time. Not in the table of main.ts until its action is here. */
export function createReplayCommand(): Command {
  return new Command('replay')
    .description('send a purchase history through the front door in fast time')
    .argument('<file>', 'CSV, plain or .gz: user_id,ts,event_type,item_id,session_id,quantity,value,extra')
    .addOption(createNamespaceOption())
    .addOption(createPartitionsOption())
    .option('--map <columns>', 'other column names, as column=name,...')
    .option('--until <ts>', 'leave out what is later')
    .addOption(new Option('--via <door>', 'which front door').choices(['http', 'kafka']).default('http'))
    .option('--json', 'print the totals as JSON');
  // .action(...): ensurePlatform({ namespace, partitions }), createSource(...), then runReplay of @perennial/replay.
}
