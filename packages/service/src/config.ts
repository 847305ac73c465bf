/** Configuration is a document: one zod object per program, every key with its sentence; all errors are said at once. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Said to the operator as it is, without a stack trace. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const isSecret = /(PASSWORD|SECRET|KEYS?|PEPPER|TOKEN)$/;

/**
 * `KEY_FILE` names a file that holds KEY, for secrets that are mounted. An empty value is the same as none. Throws a
 * ConfigError that names every wrong key with its sentence, and no value.
 */
export function readConfig<Shape extends z.ZodObject>(shape: Shape, environment: Environment): z.infer<Shape> {
  const values: Record<string, string> = {};
  const unreadable = new Map<string, string>();
  for (const key of Object.keys(shape.shape)) {
    const file = environment[`${key}_FILE`];
    try {
      const value = file === undefined || file === '' ? environment[key] : readFileSync(file, 'utf8').trim();
      if (value !== undefined && value !== '') values[key] = value;
    } catch (error) {
      unreadable.set(
        key,
        `the file ${file} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`,
      );
    }
  }
  const result = shape.safeParse(values);
  if (result.success && unreadable.size === 0) return result.data;
  const complaints = new Map<string, string>();
  for (const issue of result.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    complaints.set(key, values[key] === undefined ? 'is not set' : issue.message);
  }
  for (const [key, what] of unreadable) complaints.set(key, what);
  const lines = [...complaints].map(([key, what]) => {
    const sentence = sentenceOf(shape, key);
    return `  ${key}: ${what}${sentence === '' ? '' : ` — ${sentence}`}`;
  });
  throw new ConfigError(`The configuration is not complete:\n${lines.join('\n')}`);
}

/** For people: every key, its value (secrets as …, passwords in addresses too) and its sentence. */
export function describeConfig<Shape extends z.ZodObject>(shape: Shape, config: z.infer<Shape>): string {
  const values: Readonly<Record<string, unknown>> = config;
  return Object.keys(shape.shape)
    .map((key) => `${key}=${shown(key, values[key])}  # ${sentenceOf(shape, key)}`)
    .join('\n');
}

function shown(key: string, value: unknown): string {
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  if (text === '') return '';
  return isSecret.test(key) ? '…' : text.replaceAll(/(:\/\/[^:/@\s]*):[^@/\s]*@/g, '$1:…@');
}

function sentenceOf(shape: z.ZodObject, key: string): string {
  const field: unknown = shape.shape[key];
  return field instanceof z.ZodType ? (field.description ?? '') : '';
}

/** The keys that every service has. */
export const commonSettings = z.object({
  DATABASE_URL: z.string().optional().describe('Postgres, as the role of this service.'),
  MIGRATE_DATABASE_URL: z
    .string()
    .optional()
    .describe(
      'Postgres as an owner: the schema is brought up to date before the start. Empty = somebody else does it.',
    ),
  CARRIER: z.enum(['kafka', 'embedded']).default('kafka').describe('What messages travel over.'),
  KAFKA_BROKERS: z.string().default('127.0.0.1:9092').describe('Host:port of the brokers, separated by commas.'),
  CARRIER_DATABASE_URL: z
    .string()
    .optional()
    .describe('Postgres as the role of the carrier, when CARRIER is embedded.'),
  RPC_HOST: z.string().default('127.0.0.1').describe('The address on which gRPC is answered.'),
  RPC_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe('The port on which gRPC is answered. 0 = any.'),
  RPC_INSECURE: z
    .stringbool()
    .default(false)
    .describe('Plaintext gRPC beyond loopback, on a network that only the services share.'),
  RPC_TLS_CERT: z.string().optional().describe('PEM of this service, for mTLS. Usually given as RPC_TLS_CERT_FILE.'),
  RPC_TLS_KEY: z.string().optional().describe('PEM of its key.'),
  RPC_TLS_CA: z.string().optional().describe('PEM of the authority that signs the services.'),
  HTTP_HOST: z.string().default('127.0.0.1').describe('The address of the HTTP server, for an edge.'),
  HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe('The port of the HTTP server, for an edge. 0 = any.'),
  HEALTH_HOST: z.string().default('127.0.0.1').describe('The address of /livez and /readyz.'),
  HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe('The port of /livez and /readyz. Empty = none.'),
  OTLP_ENDPOINT: z.string().default('').describe('Where traces and metrics go over OTLP/HTTP. Empty = nowhere.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('What is logged.'),
  MERCHANT_ADDRESS: z.string().default('127.0.0.1:7101').describe('gRPC of the merchant service.'),
  ORDER_ADDRESS: z.string().default('127.0.0.1:7102').describe('gRPC of the order service.'),
  PAYMENT_ADDRESS: z.string().default('127.0.0.1:7103').describe('gRPC of the payment service.'),
  FULFILLMENT_ADDRESS: z.string().default('127.0.0.1:7104').describe('gRPC of the fulfillment service.'),
  NOTIFICATION_ADDRESS: z.string().default('127.0.0.1:7105').describe('gRPC of the notification service.'),
  WEBHOOK_ADDRESS: z.string().default('127.0.0.1:7106').describe('gRPC of the webhook-dispatcher.'),
  SUBSCRIPTION_ADDRESS: z.string().default('127.0.0.1:7107').describe('gRPC of the subscription service.'),
});

export type CommonConfig = z.infer<typeof commonSettings>;
