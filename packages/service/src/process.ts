/** A process of the split form: configuration, telemetry, database, carrier, app; and the way back on SIGTERM. */
import { openDatabase, type Database } from '@tillstream/database/database';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import { wallClock, type Clock } from '@tillstream/messaging/clock';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { kafkaCarrier } from '@tillstream/messaging/kafka-carrier';
import type { Carrier } from '@tillstream/messaging/message';
import { openChannel, type RpcChannel } from '@tillstream/rpc/client';
import type { RpcTls } from '@tillstream/rpc/contract';
import { startTelemetry } from '@tillstream/telemetry/start';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ServiceApp } from './app.ts';
import {
  commonSettings,
  ConfigError,
  describeConfig,
  readConfig,
  type CommonConfig,
  type Environment,
} from './config.ts';
import { makeLog } from './log.ts';
import { addressKeyOf, type ServiceName } from './manifest.ts';
import { replayAll } from './replay.ts';
import { superviseApp } from './supervise.ts';

export interface ProcessParts<Config, Schema> {
  readonly config: Config & CommonConfig;
  /** Throws when the app has no home. */
  readonly database: Database<Schema>;
  readonly clock: Clock;
  readonly log: Logger;
  channel(target: ServiceName): RpcChannel;
}

/** The little of `process` that is needed, so that only main.ts touches it. */
export interface HostProcess {
  readonly env: Environment;
  readonly argv: readonly string[];
  exit(code: number): never;
  on(
    event: 'SIGTERM' | 'SIGINT' | 'uncaughtException' | 'unhandledRejection',
    listener: (reason: unknown) => void,
  ): unknown;
}

export interface ProcessOptions<Shape extends z.ZodObject, Schema extends object> {
  readonly process: HostProcess;
  readonly name: string;
  readonly home?: ServiceHome;
  readonly settings: Shape;
  readonly app: (parts: ProcessParts<z.infer<Shape>, Schema>) => ServiceApp | Promise<ServiceApp>;
}

// What was flushed has reached its file descriptor by then.
const lastLinesMs = 100;
// Containers kill after 20 s.
const stopWithinMs = 19_000;

/** Ends the process with 2 when the configuration is wrong, with 1 when something nobody expected happened. */
export async function runProcess<Shape extends z.ZodObject, Schema extends object>(
  options: ProcessOptions<Shape, Schema>,
): Promise<void> {
  const host = options.process;
  const needed =
    options.home === undefined ? {} : { DATABASE_URL: z.string().describe('Postgres, as the role of this service.') };
  const shape = commonSettings.extend({ ...needed, ...options.settings.shape });
  let config: CommonConfig & z.infer<Shape>;
  try {
    config = readConfig<z.ZodObject>(shape, host.env) as CommonConfig & z.infer<Shape>;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return host.exit(2);
  }
  if (host.argv.includes('--print-config')) {
    console.log(describeConfig<z.ZodObject>(shape, config));
    return host.exit(0);
  }
  const log = makeLog({ service: options.name, level: config.LOG_LEVEL });
  const end = (code: number) => {
    log.flush();
    setTimeout(() => host.exit(code), lastLinesMs);
  };
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    host.on(event, (reason) => {
      log.fatal({ err: reason }, event);
      end(1);
    });
  }
  try {
    const stop = await start(options, config, log);
    if (typeof stop === 'number') return end(stop);
    let isStopping = false;
    const onSignal = () => {
      // Whoever asks twice does not want to wait.
      if (isStopping) return end(1);
      isStopping = true;
      // The parts have deadlines of their own; this one is for what none of them foresaw.
      setTimeout(() => end(1), stopWithinMs).unref();
      void stop().then(
        () => end(0),
        (error: unknown) => {
          log.error({ err: error }, 'did not stop well');
          end(1);
        },
      );
    };
    host.on('SIGTERM', onSignal);
    host.on('SIGINT', onSignal);
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    end(1);
  }
}

/** Answers what ends it, or, for a task that has ended already, the exit code. */
async function start<Shape extends z.ZodObject, Schema extends object>(
  options: ProcessOptions<Shape, Schema>,
  config: CommonConfig & z.infer<Shape>,
  log: Logger,
): Promise<(() => Promise<void>) | number> {
  const telemetry = await startTelemetry({ service: options.name, otlpEndpoint: config.OTLP_ENDPOINT });
  const database = await openHome<Schema>(options.home, config);
  const carrier = options.home === undefined ? undefined : openCarrier(options.name, config, log);
  const tls = tlsOf(config);
  const channels = new Map<ServiceName, RpcChannel>();
  const channel = (target: ServiceName): RpcChannel => {
    const open =
      channels.get(target) ??
      openChannel({ address: config[addressKeyOf(target)], ...(tls === undefined ? {} : { tls }) });
    channels.set(target, open);
    return open;
  };
  // Each service keeps the clocks of its merchants in its own schema.
  const clock = database === undefined ? wallClock : new MerchantClocks(database);
  const app = await options.app({
    config,
    clock,
    log,
    channel,
    get database() {
      if (database === undefined) throw new Error(`${options.name} has no schema`);
      return database;
    },
  });
  const closeParts = async () => {
    await carrier?.close();
    for (const each of channels.values()) each.close();
    await database?.close();
    await telemetry.stop();
  };
  if (options.process.argv.includes('--replay-parked')) {
    const remaining = await replayAll(app, log);
    await app.http?.close();
    await closeParts();
    return remaining === 0 ? 0 : 1;
  }
  const running = await superviseApp(app, {
    clock,
    log,
    ...(carrier === undefined ? {} : { carrier }),
    rpc: {
      host: config.RPC_HOST,
      port: config.RPC_PORT,
      insecure: config.RPC_INSECURE,
      ...(tls === undefined ? {} : { tls }),
    },
    ...(app.http === undefined ? {} : { http: { host: config.HTTP_HOST, port: config.HTTP_PORT } }),
    ...(config.HEALTH_PORT === undefined ? {} : { health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT } }),
  });
  log.info({ rpc_port: running.rpcPort, http_port: app.http === undefined ? undefined : config.HTTP_PORT }, 'ready');

  return async () => {
    await running.stop();
    await closeParts();
    log.info({}, 'stopped');
  };
}

async function openHome<Schema>(
  home: ServiceHome | undefined,
  config: CommonConfig,
): Promise<Database<Schema> | undefined> {
  if (home === undefined) return undefined;
  if (config.DATABASE_URL === undefined) throw new Error('DATABASE_URL is not set');
  if (config.MIGRATE_DATABASE_URL !== undefined) {
    await migrate({
      adminUrl: config.MIGRATE_DATABASE_URL,
      home,
      password: decodeURIComponent(new URL(config.DATABASE_URL).password),
    });
  }
  return openDatabase<Schema>({ url: config.DATABASE_URL, schema: home.schema, applicationName: home.name });
}

function openCarrier(name: string, config: CommonConfig, log: Logger): Carrier {
  if (config.CARRIER === 'kafka')
    return kafkaCarrier({ brokers: config.KAFKA_BROKERS.split(','), clientId: name, log });
  if (config.CARRIER_DATABASE_URL === undefined)
    throw new Error('CARRIER is embedded, but CARRIER_DATABASE_URL is not set');
  return embeddedCarrier({ url: config.CARRIER_DATABASE_URL, log });
}

function tlsOf(config: CommonConfig): RpcTls | undefined {
  const { RPC_TLS_CERT: cert, RPC_TLS_KEY: key, RPC_TLS_CA: ca } = config;
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  // Half of it must not end in plaintext.
  if (cert === undefined || key === undefined || ca === undefined)
    throw new Error('RPC_TLS_CERT, RPC_TLS_KEY and RPC_TLS_CA: all three or none');
  return { cert: Buffer.from(cert), key: Buffer.from(key), ca: Buffer.from(ca) };
}
