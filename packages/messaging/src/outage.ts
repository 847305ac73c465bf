import { codeOf } from '@tillstream/database/database';

/** Whether an error means that the database or another service does not answer: then the message or timer is not to blame. */
export function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  // Postgres: connection failures, shutdown, too many connections, read-only after a failover, lock or statement timeout.
  if (/^(08|57P0|53|25006|55P03|57014)/.test(code)) return true;
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'unavailable', 'rate_limited'].includes(code))
    return true;
  // pg gives these no code.
  return (
    error instanceof Error &&
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      error.message,
    )
  );
}
