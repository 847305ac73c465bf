/** The database of an installation that runs on this machine from a data folder (`npm start`, `npm run split`). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export class NotRunning extends Error {
  override readonly name = 'NotRunning';
}

/** Throws NotRunning, in words for a person. */
export function urlOfFolder(data: string): string {
  const pidFile = join(data, 'postgres', 'postmaster.pid');
  const passwordFile = join(data, 'postgres.password');
  if (!existsSync(passwordFile))
    throw new NotRunning(
      `There is no installation in ${data}. Name its folder with --data, or its database with --url.`,
    );
  if (!existsSync(pidFile))
    throw new NotRunning(`The installation in ${data} does not run. Start it, or name a database with --url.`);
  // The fourth line of the server's own file is its port.
  const port = Number(readFileSync(pidFile, 'utf8').split('\n')[3]);
  const password = readFileSync(passwordFile, 'utf8').trim();
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}
