/**
 * The log of every process: JSON lines with the trace they happened in (docs/telemetry.md). What must never be read there
 * is taken out by name, at any depth, before a line is written.
 */
import { currentTraceparent, traceIdOf } from '@tillstream/telemetry/trace';
import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Fields whose values never reach a log, however they are spelled. */
export const secretFields: readonly string[] = (
  'authorization cookie set-cookie password secret secrets token api_key signature vault_keys ' +
  'code codes licence licences licence_codes activation_codes card card_number cvc iban ' +
  'email support_email customer customer_email first_name last_name phone to recipient ' +
  'body payload cart_id detail_url redirect_url smtp_url database_url'
).split(' ');

const secret = new Set<string>(secretFields.map(flat));
// Our fields are flat; what is deeper is somebody's object that got in whole.
const deepest = 5;

export interface LogOptions {
  /** Absent = the children say theirs. */
  readonly service?: string;
  readonly level?: string;
  /** A path; default standard output. */
  readonly file?: string;
  /** For tests: where the lines go instead. */
  readonly stream?: DestinationStream;
}

export function makeLog(options: LogOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: options.service === undefined ? {} : { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: (fields) => redact(fields, 0) },
      // A line that names a trace itself keeps it.
      mixin: () => {
        const traceId = traceIdOf(currentTraceparent());
        return traceId === '' ? {} : { trace_id: traceId };
      },
      // Errors are plain objects when they come here.
      serializers: { err: (plain: unknown) => plain },
    },
    options.stream ?? fileOf(options.file),
  );
}

/** Lines are written in blocks; at most a fifth of a second is lost with a kill -9. A full disk costs the log, not the process. */
function fileOf(file: string | undefined): DestinationStream {
  const stream = destination({
    ...(file === undefined ? { dest: 1 } : { dest: file, mkdir: true }),
    sync: false,
    minLength: 4096,
    periodicFlush: 200,
  });
  let isTold = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (isTold) return;
    isTold = true;
    // It would try again without end, also when the process wants to stop.
    stream.write = () => true;
    stream.flush = (done) => done?.();
    stream.flushSync = () => undefined;
    stream.end = () => undefined;
    console.error(`The log cannot be written (${error.code ?? error.name}); it goes on with the next start.`);
  });
  return stream;
}

function redact(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, secret.has(flat(name)) ? '…' : plainOf(value, depth)]),
  );
}

/** apiKey, api_key and API-Key are one field. */
function flat(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

function plainOf(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return errorOf(value, 0);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= deepest) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((each) => plainOf(each, depth + 1));
  return redact(value, depth + 1);
}

/** Only what carries nobody's data: Postgres puts a row's values into `detail`, a mail server addresses into `rejected`. */
function errorOf(error: Error, depth: number): object {
  return {
    type: error.name,
    message: error.message,
    ...('code' in error ? { code: String(error.code) } : {}),
    stack: error.stack,
    ...(error.cause instanceof Error && depth < deepest ? { cause: errorOf(error.cause, depth + 1) } : {}),
  };
}
