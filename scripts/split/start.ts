// The split form on one machine without containers: each service its own process, role and schema, on one Postgres server
// and a real Kafka (TEST_KAFKA_BROKERS, else a container, else its jars): `npm run split`.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environmentOf, placesOf } from '../../apps/standalone/src/environment.ts';
import { portsFrom, type PortName } from '../../apps/standalone/src/ports.ts';
import { homes, migrateAll } from '../../apps/standalone/src/product.ts';
import { loadSecrets, saveSecrets } from '../../apps/standalone/src/secrets.ts';
import { startEmbeddedPostgres } from '../../packages/embedded/src/server.ts';
import { MerchantApiService } from '../../packages/proto/src/tillstream/merchant/v1/merchant_api.ts';
import { makeClient, openChannel } from '../../packages/rpc/src/client.ts';
import { addressesOf, serviceNames } from '../../packages/service/src/manifest.ts';
import { findBroker } from '../../packages/testkit/src/broker.ts';
import { startProcesses, type Program } from './processes.ts';

const startedAt = performance.now();
const data = resolve(process.env['TILLSTREAM_DATA'] ?? '.data/split');
const ports = portsFrom(Number(process.env['PORT_BASE'] ?? 4000));
const places = placesOf(ports, '127.0.0.1');
const address = (name: PortName) => `127.0.0.1:${ports[name]}`;
mkdirSync(data, { recursive: true });

console.log('Starting Kafka and Postgres …');
const broker = await findBroker();
if (broker === undefined) throw new Error('There is no Kafka: a container engine, or Java 17 and Maven, bring one.');
const postgres = await startEmbeddedPostgres({
  directory: join(data, 'postgres'),
  port: ports.postgres,
  settings: { max_connections: '200' },
});
const secrets = loadSecrets(join(data, 'secrets.json'));
await migrateAll(postgres.url(), secrets.rolePassword);

const shared: Record<string, string> = {
  ...environmentOf(ports, places, secrets, data),
  CARRIER: 'kafka',
  KAFKA_BROKERS: broker.addresses.join(','),
  ...addressesOf(address),
  OTLP_ENDPOINT: process.env['OTLP_ENDPOINT'] ?? '',
};
const edges: readonly (readonly [string, PortName])[] = [
  ['mailbox', 'mail'],
  ['sandbox', 'sandbox'],
  ['gateway', 'gateway'],
  ['checkout', 'checkout'],
];
const programs = [
  ...serviceNames.map((name) => [name, name, 'RPC_PORT'] as const),
  ...edges.map(([name, port]) => [name, port, 'HTTP_PORT'] as const),
].map(([name, port, key], at): Program => {
  const home = homes.find((each) => each.name === name);
  const database =
    home === undefined ? {} : { DATABASE_URL: postgres.socketUrl('postgres', home.role, secrets.rolePassword) };
  return {
    name,
    environment: { ...shared, ...database, [key]: String(ports[port]) },
    healthPort: ports.gateway + 20 + at,
  };
});
console.log('Starting the services …');
const processes = startProcesses(data, programs);

let isStopping = false;
const stop = async (code: number) => {
  if (isStopping) return;
  isStopping = true;
  await processes.stop();
  await postgres.stop();
  await broker.stop();
  process.exit(code);
};
process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));

try {
  await processes.untilReady();
  const channel = openChannel({ address: address('merchant') });
  const account = await makeClient(MerchantApiService, channel).createAccount({
    accountName: 'demo',
    shopName: 'Demo shop',
    supportEmail: 'merchant@example.com',
  });
  channel.close();
  const apiKey = account.testApiKey === '' ? secrets.apiKey : account.testApiKey;
  saveSecrets(join(data, 'secrets.json'), { ...secrets, apiKey });
  const { gateway, checkout, mail } = places;
  const ready = {
    gateway,
    checkout,
    console: `${gateway}/docs`,
    mail,
    api_key: apiKey,
    took_ms: Math.round(performance.now() - startedAt),
  };
  console.log(`READY ${JSON.stringify(ready)}`);
} catch (error) {
  console.error(error);
  await stop(1);
}
