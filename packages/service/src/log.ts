/** The log of every process: JSON lines with the trace, and no word that is a secret or somebody's (docs/telemetry.md). */
import { currentTraceparent, traceIdOf } from '@tillstream/telemetry/trace';
import { destination, pino, stdTimeFunctions, type Logger } from 'pino';

/** Fields whose values never reach a log, wherever one passes them; at two depths. */
export const secretFields = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'secrets',
  'token',
  'api_key',
  'apiKey',
  'email',
  'code',
  'codes',
  'licence_codes',
  'activation_codes',
  'card',
  'customer',
  'body',
] as const;

// An error's code (23505, ECONNREFUSED) is not a licence code: `err.code` must stay readable.
const paths = secretFields.flatMap((field) => (field === 'code' ? [field] : [field, `*.${field}`]));

export function makeLog(options: { service: string; level?: string; /** A path; default standard output. */ file?: string }): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths, censor: '…' },
      formatters: { level: (level) => ({ level }) },
      mixin: () => {
        const traceId = traceIdOf(currentTraceparent());
        return traceId === '' ? {} : { trace_id: traceId };
      },
    },
    // Lines are written in blocks; at most a fifth of a second is lost with a kill -9.
    destination({ ...(options.file === undefined ? { dest: 1 } : { dest: options.file, mkdir: true }), sync: false, minLength: 4096, periodicFlush: 200 }),
  );
}
