/** What the product stands on: Kafka, Postgres behind a network that fails, and its processes; all on loopback and in one folder. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedServer } from '@tillstream/embedded/server';
import { environmentOf, placesOf, type Places } from '@tillstream/standalone/environment';
import { portsFrom, type PortName, type Ports } from '@tillstream/standalone/ports';
import { loadSecrets, type Secrets } from '@tillstream/standalone/secrets';
import { startJars, type MortalBroker } from '@tillstream/testkit/broker';
import { addressesOf, roleOf, serviceNames, serviceOf } from '@tillstream/service/manifest';
import { startFaultProxy, type FaultProxy } from '@tillstream/testkit/fault-proxy';
import { claimPorts } from '@tillstream/testkit/ports';
import { Programs } from './programs.ts';

export interface World {
  readonly data: string;
  readonly ports: Ports;
  readonly places: Places;
  readonly secrets: Secrets;
  readonly broker: MortalBroker;
  readonly postgres: EmbeddedServer;
  readonly proxy: FaultProxy;
  readonly programs: Programs;
  stop(): Promise<void>;
}

/** The product's own. */
export const services = serviceNames;
export const edges = ['gateway', 'checkout'] as const;
export const mortals: readonly string[] = [...services, ...edges];
/** They stand for the outside, die as well, and must not forget: what they know is what the product is held against. */
export const outsiders = ['sandbox', 'mailbox'] as const;
const outside = [
  ['mailbox', 'mail'],
  ['sandbox', 'sandbox'],
] as const;

// Half a minute of tries: a receiver that fails now and then is tried again within the run, and given up by nobody.
const retryDelaysMs = [100, 300, 1_000, 2_000, ...Array.from({ length: 20 }, () => 3_000)];

export async function openWorld(
  options: { readonly seed: number; readonly mutant: string },
  random: () => number,
  say: (what: string) => void,
): Promise<World> {
  const data = mkdtempSync(join(tmpdir(), 'tillstream-torture-'));
  chmodSync(data, 0o755);
  const ports = portsFrom(await claimPorts());
  const places = placesOf(ports, '127.0.0.1');
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).toReversed()) await close().catch(() => undefined);
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    say('starting Kafka and Postgres');
    mkdirSync(join(data, 'kafka'));
    const broker = await startJars({ folder: join(data, 'kafka'), port: ports.gateway + 36 });
    closers.push(() => broker.stop());
    const postgres = await startEmbeddedPostgres({
      directory: join(data, 'postgres'),
      port: ports.postgres,
      settings: { max_connections: '200' },
    });
    closers.push(() => postgres.stop());
    const proxy = await startFaultProxy({
      to: { host: '127.0.0.1', port: ports.postgres },
      seed: options.seed,
      port: ports.gateway + 38,
    });
    closers.push(() => proxy.stop());
    const secrets = loadSecrets(join(data, 'secrets.json'));
    const programs = new Programs(data, random, options.mutant);
    closers.push(() => programs.stop());
    const world: World = { data, ports, places, secrets, broker, postgres, proxy, programs, stop };
    say('starting the services; each dies once in the middle of its migrations');
    startAll(world, random);
    await untilReady(programs, 300_000);
    return world;
  } catch (error) {
    await stop();
    throw error;
  }
}

function startAll(world: World, random: () => number): void {
  const { ports, places, secrets, broker, postgres, proxy, data, programs } = world;
  const address = (name: PortName) => `127.0.0.1:${ports[name]}`;
  const throughProxy = (url: string) => url.replace(`:${ports.postgres}/`, `:${proxy.port}/`);
  const shared: Record<string, string> = {
    ...environmentOf(ports, places, secrets, data),
    CARRIER: 'kafka',
    KAFKA_BROKERS: broker.addresses.join(','),
    ...addressesOf(address),
    RETRY_DELAYS_MS: retryDelaysMs.join(','),
    // All our customers come from one address, which no shop's do.
    POSTS_PER_TEN_SECONDS: '0',
    // A start costs half as much when the modules are compiled already; there are hundreds of starts.
    NODE_COMPILE_CACHE: join(data, 'compiled'),
  };
  const homes: Readonly<Record<string, string>> = {
    ...Object.fromEntries(services.map((name) => [name, roleOf(serviceOf(name).schema)])),
    gateway: roleOf('gateway'),
  };
  const all: readonly (readonly [string, PortName])[] = [
    ...services.map((name) => [name, name] as const),
    ...outside,
    ...edges.map((name) => [name, name] as const),
  ];
  let archived = 0;
  all.forEach(([name, port], at) => {
    const role = homes[name];
    const database: Record<string, string> =
      role === undefined
        ? {}
        : {
            DATABASE_URL: throughProxy(postgres.url('postgres', role, secrets.rolePassword)),
            MIGRATE_DATABASE_URL: throughProxy(postgres.url()),
          };
    const isService = services.some((service) => service === name);
    programs.start({
      name,
      environment: { ...shared, ...database, [isService ? 'RPC_PORT' : 'HTTP_PORT']: String(ports[port]) },
      healthPort: ports.gateway + 20 + at,
      // At its start the mailbox forgets all but the newest letters.
      ...(name === 'mailbox' ? { ended: () => keepMail(data, (archived += 1)) } : {}),
      ...(role === undefined ? {} : { firstOrder: { moments: ['migrating'], hit: 1 + Math.floor(random() * 2) } }),
    });
  });
}

/** Every letter that ever arrived is in `mail.jsonl` or in a copy of it. */
function keepMail(data: string, nth: number): void {
  const file = join(data, 'mail.jsonl');
  if (existsSync(file)) copyFileSync(file, join(data, `mail.${nth}.jsonl`));
}

export async function untilReady(programs: Programs, withinMs: number): Promise<void> {
  const endAt = Date.now() + withinMs;
  for (const name of programs.names) {
    while (!(await programs.isReady(name))) {
      if (Date.now() > endAt) throw new Error(`${name} is not ready after ${withinMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
