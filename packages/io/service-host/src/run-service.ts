import { AppError, isAppError, toMessage } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import { createLogger } from '@perennial/telemetry';
import type { ProcessHost, StopSignal } from './process-host.js';
import { createProcessHost } from './process-host.js';

/** A composed service: `start` acquires all resources (or rolls back), `stop` drains and releases them. */
export interface App {
  start(): Promise<{ url: string }>;
  stop(): Promise<void>;
}

/** The part of a configuration that the runner needs. */
export interface RunnableConfig {
  readonly namespace: string;
  readonly instanceId: string;
  readonly logLevel: string;
  readonly logFile?: string | undefined;
}

/** The part of the process that commands can use. */
export type CommandHost = Pick<ProcessHost, 'env' | 'print'>;

/** A one-shot subcommand, `main.js <command> [args]`. */
export type Command<Config> = (config: Config, args: readonly string[], logger: Logger) => Promise<void>;

/** What a service passes to its runner: its own `main`, or a tool. */
export interface ServiceDefinition<Config extends RunnableConfig> {
  readonly name: string;
  /** Throws AppError `config_invalid` with all problems. */
  loadConfig(env: Readonly<Record<string, string | undefined>>): Config;
  createApp(config: Config): App | Promise<App>;
  /** By name. Results are printed: one line of JSON, or text for people. */
  commands?(host: CommandHost): Readonly<Record<string, Command<Config>>>;
}

/**
 * Name of the command that runs several: `main.js each '[["migrate"],["register","policy","FILE"]]'`, one after another until
 * one fails. Starting a process for each takes most of a second of processor time.
 */
const EACH = 'each';

/** Exit codes for supervisors. */
const EXIT = { ok: 0, failure: 1, configInvalid: 2 } as const;

/**
 * Limit of the drain at a stop, after which the process ends anyway; below the 30 s that orchestrators wait by default.
 */
const DRAIN_DEADLINE_MS = 25_000;
/**
 * After a stop the process ends by itself, but a connection that was lost without notice would delay that by a quarter
 * of an hour.
 */
const LINGER_MS = 1_000;

/** Environment -> configuration -> app -> wait for a signal -> drain. Resolves when the process may end; sets its exit code. */
export async function runService<Config extends RunnableConfig>(
  definition: ServiceDefinition<Config>,
  host: ProcessHost = createProcessHost(),
): Promise<void> {
  const [commandName, ...args] = host.args;
  let logger: Logger | undefined;
  try {
    const calls =
      commandName === undefined
        ? []
        : toCalls(commandName, args).map(([name, ...rest]) => ({
            command: findCommand(definition, name, host),
            args: rest,
          }));
    const config = definition.loadConfig(host.env);
    logger = createLogger({
      service: definition.name,
      namespace: config.namespace,
      instanceId: config.instanceId,
      level: config.logLevel,
      file: config.logFile,
    });
    if (commandName === undefined) await serve(definition, config, logger, host);
    for (const call of calls) await call.command(config, call.args, logger);
    host.setExitCode(EXIT.ok);
    logger.flush();
  } catch (error) {
    report(error, definition.name, logger, host);
    logger?.flush();
    host.exit(isAppError(error, 'config_invalid') ? EXIT.configInvalid : EXIT.failure);
  }
}

type Call = readonly [name: string, ...args: string[]];

function toCalls(name: string, args: readonly string[]): readonly Call[] {
  if (name !== EACH) return [[name, ...args]];
  const calls: unknown = parseJson(args[0] ?? '');
  const isCall = (call: unknown) =>
    Array.isArray(call) && call.length > 0 && call.every((part) => typeof part === 'string');
  if (Array.isArray(calls) && calls.length > 0 && calls.every(isCall)) return calls as Call[];
  throw new AppError('config_invalid', `usage: ${EACH} '[["COMMAND","ARGUMENT",...],...]'`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function findCommand<Config extends RunnableConfig>(
  definition: ServiceDefinition<Config>,
  name: string,
  host: ProcessHost,
): Command<Config> {
  const commands = definition.commands?.(host) ?? {};
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  const known = Object.keys(commands).join(', ') || 'none';
  throw new Error(`${definition.name} has no command ${JSON.stringify(name)}; it has: ${known}`);
}

async function serve<Config extends RunnableConfig>(
  definition: ServiceDefinition<Config>,
  config: Config,
  logger: Logger,
  host: ProcessHost,
): Promise<void> {
  // Listen for signals first: one that arrives during the start must stop it too.
  const signal = host.waitForSignal();
  const app = await definition.createApp(config);
  let signalled: StopSignal | undefined;
  const stopEarly = signal.then((name) => {
    signalled = name;
  });
  const started = app.start();
  started.catch(() => undefined);
  await Promise.race([started, stopEarly]);
  if (signalled === undefined) {
    const { url } = await started;
    logger.info({ url }, 'service started');
  }
  const name = await signal;
  logger.info({ signal: name, deadlineMs: DRAIN_DEADLINE_MS }, 'service draining');
  const deadline = host.exitAfter(DRAIN_DEADLINE_MS, EXIT.failure, () => logger.error('drain deadline passed'));
  // A second signal ends the process at once.
  void host.waitForSignal().then(() => host.exit(EXIT.failure));
  await started.catch(() => undefined);
  await app.stop();
  deadline.cancel();
  logger.info('service stopped');
  host.exitAfter(LINGER_MS, EXIT.ok, () => logger.info('process ended although something still kept it alive'));
}

function report(error: unknown, name: string, logger: Logger | undefined, host: ProcessHost): void {
  if (isAppError(error, 'config_invalid')) host.writeError(`${name}: ${error.message}\n`);
  else if (logger === undefined) host.writeError(`${name}: ${toMessage(error)}\n`);
  else logger.fatal({ error }, 'service failed');
}
