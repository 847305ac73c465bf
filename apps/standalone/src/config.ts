import { z } from 'zod';

export const settings = z.object({
  TILLSTREAM_DATA: z
    .string()
    .default('.data')
    .describe('The folder of the database, the log and the received mail. It is made when it is not there.'),
  PORT_BASE: z.coerce
    .number()
    .int()
    .min(1024)
    .max(65000)
    .default(4000)
    .describe('The first of twenty ports: gateway, checkout, start page, mail, …'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address to listen on. Everything here is for test money; think before you open it to a network.'),
  MERCHANT_RPC_PORT: z.coerce
    .number()
    .int()
    .min(1024)
    .max(65535)
    .optional()
    .describe('The port of 127.0.0.1 on which the merchant service answers gRPC, to open more accounts. Empty = none.'),
  OTLP_ENDPOINT: z
    .string()
    .default('')
    .describe('Where traces and metrics go over OTLP/HTTP, such as http://127.0.0.1:4318. Empty = nowhere.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('What is written to the log file in the data folder.'),
  WEBHOOK_RETRY_DELAYS_MS: z
    .string()
    .default('')
    .describe(
      'Delays between the attempts of a webhook in ms, for trying things out. Empty = the schedule of the documentation.',
    ),
  POSTS_PER_TEN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .default(250)
    .describe(
      'How many forms and checkout links one address may send in ten seconds. 0 = no limit, for load tests from one machine.',
    ),
});

export type Config = z.infer<typeof settings>;

/** Of migrate/main.ts. */
export const migrateSettings = z.object({
  ADMIN_DATABASE_URL: z.string().describe('Postgres as a role that may make roles and schemas; what it makes it owns.'),
  ROLE_PASSWORD: z.string().min(1).describe('The password that the roles of the services get.'),
});

/** Of open-shop/main.ts. */
export const shopSettings = z.object({
  MERCHANT_ADDRESS: z.string().describe('gRPC of the merchant service.'),
  GATEWAY_URL: z.url({ protocol: /^https?$/ }).describe('The public API.'),
  API_KEY: z.string().optional().describe('The test key of the account, once it is open: the key is told only once.'),
});
