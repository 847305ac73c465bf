/** Where a server for tests comes from. */
import { existsSync } from 'node:fs';

/** `named`: by the environment. `container`: from a Docker engine. `own`: programs that this machine has, or that come by npm. */
export type Place = 'named' | 'container' | 'own';

const socket = '/var/run/docker.sock';

/** The places to try, in their order. A socket may have no engine behind it: the next place follows then. */
export function placesToTry(
  named: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  hasSocket: boolean = existsSync(socket),
): readonly Place[] {
  if (named !== undefined && named !== '') return ['named'];
  return hasSocket || (environment['DOCKER_HOST'] ?? '') !== '' ? ['container', 'own'] : ['own'];
}
