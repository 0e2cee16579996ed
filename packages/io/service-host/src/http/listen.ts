import { AppError, isAppError } from '@perennial/kernel';
import type { FastifyInstance } from 'fastify';

/**
 * Listens and returns the URL. A port that is taken or forbidden gives `config_invalid`, which names the port and its
 * variable.
 */
export async function listen(server: FastifyInstance, options: { host: string; port: number }): Promise<string> {
  try {
    return await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    if (isAppError(error)) throw error;
    throw toListenError(error, options);
  }
}

function toListenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new AppError(
      'config_invalid',
      `port ${port} on ${host} is taken; set PORT to another one (0 takes any free port)`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new AppError('config_invalid', `port ${port} needs privileges; set PORT to 1024 or above`, { cause: error });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new AppError('config_invalid', `${host} is no address of this machine; set HOST`, { cause: error });
  }
  return error;
}
