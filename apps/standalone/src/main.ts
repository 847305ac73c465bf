/** What `npm start` runs: the whole product in one process, on embedded parts. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { reachableFolder } from '@tillstream/embedded/folder';
import { EmbeddedRefusal, startEmbeddedPostgres, type EmbeddedServer } from '@tillstream/embedded/server';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { makeClient } from '@tillstream/rpc/client';
import { ConfigError, describeConfig, readConfig } from '@tillstream/service/config';
import { makeLog } from '@tillstream/service/log';
import { startTelemetry } from '@tillstream/telemetry/start';
import { settings } from './config.ts';
import { openDemoShop, type DemoProduct } from './demo-shop.ts';
import { environmentOf, placesOf } from './environment.ts';
import { portsFrom, takenPorts } from './ports.ts';
import { migrateAll, startProduct, type RunningProduct } from './product.ts';
import { loadSecrets, saveSecrets } from './secrets.ts';

const startedAt = performance.now();

try {
  await start();
} catch (error) {
  // What a person can mend is said in a sentence; anything else with all that is known.
  if (error instanceof EmbeddedRefusal || error instanceof ConfigError) console.error(`\n${error.message}`);
  else console.error('\nTillstream did not start:', error);
  process.exit(1);
}

async function start(): Promise<void> {
  const config = readConfig(settings, process.env);
  if (process.argv.includes('--print-config')) {
    console.log(describeConfig(settings, config));
    return;
  }
  // A folder that was named is taken or refused; the default gives way where root's own checkout is closed to others.
  const wanted = resolve(config.TILLSTREAM_DATA);
  const data = process.env['TILLSTREAM_DATA'] === undefined ? reachableFolder(wanted) : wanted;
  const ports = portsFrom(config.PORT_BASE);
  const places = placesOf(ports, config.HOST);
  const taken = await takenPorts(ports, config.HOST);
  if (taken.length > 0)
    throw new ConfigError(
      `Ports are taken: ${taken.join(', ')}. Is Tillstream running already? Else name other ports with PORT_BASE, such as PORT_BASE=${config.PORT_BASE + 1000}.`,
    );

  makeFolder(data);
  console.log(`Tillstream keeps its data in ${data}`);
  console.log('Starting the database …');
  const server = await startEmbeddedPostgres({ directory: join(data, 'postgres'), port: ports.postgres });
  const secretsFile = join(data, 'secrets.json');
  const secrets = loadSecrets(secretsFile);
  const log = makeLog({ level: config.LOG_LEVEL, file: join(data, 'tillstream.log') });
  const telemetry = await startTelemetry({ service: 'tillstream', otlpEndpoint: config.OTLP_ENDPOINT });
  let products: readonly DemoProduct[] = [];
  let product: RunningProduct | undefined;
  stopOnSignal(async () => {
    await product?.stop();
    await telemetry.stop();
    log.flush();
    await stopServer(server);
  });
  try {
    console.log('Starting the services …');
    await migrateAll(server.url(), secrets.rolePassword);
    const environment = environmentOf(ports, places, secrets, data);
    if (config.WEBHOOK_RETRY_DELAYS_MS !== '') environment['RETRY_DELAYS_MS'] = config.WEBHOOK_RETRY_DELAYS_MS;
    environment['POSTS_PER_TEN_SECONDS'] = String(config.POSTS_PER_TEN_SECONDS);
    product = await startProduct({
      adminUrl: server.url(),
      urlOf: (role) => server.socketUrl('postgres', role, secrets.rolePassword),
      rolePassword: secrets.rolePassword,
      ports,
      host: config.HOST,
      merchantRpcPort: config.MERCHANT_RPC_PORT,
      environment,
      log,
      startPage: () => ({ gateway: places.gateway, mail: places.mail, apiKey: secrets.apiKey, products }),
    });
    const merchants = makeClient(MerchantApiService, product.channel('merchant'), { deadlineMs: 20_000 });
    const account = await merchants.createAccount({
      accountName: 'demo',
      shopName: 'Demo shop',
      supportEmail: 'merchant@example.com',
    });
    const apiKey = account.testApiKey === '' ? secrets.apiKey : account.testApiKey;
    if (account.testApiKey !== '') saveSecrets(secretsFile, { ...secrets, apiKey });
    secrets.apiKey = apiKey;
    products = await openDemoShop(places.gateway, apiKey);
  } catch (error) {
    await product?.stop();
    await stopServer(server);
    throw error;
  }

  console.log(`
Start page   ${places.console}
Buy          ${products[0]?.checkout_url ?? ''}   (card 4242 4242 4242 4242)
Mail         ${places.mail}
API          ${places.gateway}/docs
API key      ${secrets.apiKey}
Log          ${join(data, 'tillstream.log')}

Ctrl-C stops it; what was sold is kept.
`);
  const { gateway, checkout, console: start, mail } = places;
  console.log(
    `READY ${JSON.stringify({ gateway, checkout, console: start, mail, api_key: secrets.apiKey, took_ms: Math.round(performance.now() - startedAt) })}`,
  );
}

function makeFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true });
  } catch (error) {
    throw new ConfigError(
      `The folder ${data} cannot be made (${error instanceof Error ? error.message : 'unknown reason'}). Name another one with TILLSTREAM_DATA.`,
    );
  }
}

/** A Ctrl-C reaches the database at the same moment; that it has ended already is not an error. */
async function stopServer(server: EmbeddedServer): Promise<void> {
  await server.stop().catch(() => undefined);
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stoppingSince: number | undefined;
  const onSignal = () => {
    if (stoppingSince !== undefined) {
      // A second Ctrl-C does not wait. One comes as several signals: from the terminal, and from npm, which passes it on.
      if (performance.now() - stoppingSince > 1_000) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    console.log('\nStopping …');
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
