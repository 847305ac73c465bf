/**
 * A real Kafka to test against: what the environment names (TEST_KAFKA_BROKERS), else a container where an engine
 * answers, else Apache Kafka 4.1.1 from its jars (Java 17 and Maven; 43 MB once, 3 s to start, 350 MB of memory).
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placesToTry } from './places.ts';
import { freePort } from './ports.ts';

export interface Broker {
  /** host:port of each. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/** A broker of one's own, which may die and come back on the same port with the same data. */
export interface MortalBroker extends Broker {
  kill(): Promise<void>;
  start(): Promise<void>;
}

const image = 'apache/kafka:4.1.1';
const project = fileURLToPath(new URL('../kafka/', import.meta.url));
const cache = fileURLToPath(new URL('../../../node_modules/.cache/kafka-4.1.1/', import.meta.url));
// A loaded machine takes ten times what an idle one takes.
const startWithinMs = 60_000;

/**
 * Undefined, with a line that says why, where there is no broker to be had; throws instead when
 * TILLSTREAM_REQUIRE_KAFKA is set.
 */
export async function findBroker(): Promise<Broker | undefined> {
  const named = process.env['TEST_KAFKA_BROKERS'];
  const places = placesToTry(named);
  if (named !== undefined && places.includes('named'))
    return { addresses: named.split(','), stop: async () => undefined };
  // A socket without an engine behind it, or an image that cannot be had: the jars are next.
  const contained = places.includes('container') ? await startContainer().catch(() => undefined) : undefined;
  if (contained !== undefined) return contained;
  try {
    return await startJars();
  } catch (error) {
    if (process.env['TILLSTREAM_REQUIRE_KAFKA'] === '1') throw error;
    process.stderr.write(`No Kafka to test against: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

/**
 * From the jars: on a free port and in a folder of its own that `stop` removes, unless told where; a folder that was
 * named keeps its data. Throws when Java or Maven is missing.
 */
export async function startJars(where: { port?: number; folder?: string } = {}): Promise<MortalBroker> {
  const libraries = join(bringJars(), '*');
  const folder = where.folder ?? mkdtempSync(join(tmpdir(), 'tillstream-kafka-'));
  mkdirSync(folder, { recursive: true });
  const port = where.port ?? (await freePort());
  // The data remember it, so a named folder must find it again.
  const controllerPort = where.port === undefined ? await freePort() : where.port + 1;
  const settings = join(folder, 'server.properties');
  writeFileSync(settings, settingsOf(port, controllerPort, join(folder, 'data')));
  // Any 16 bytes are a cluster id, but a leading dash would be taken for an option.
  const clusterId = `T${randomBytes(16).toString('base64url').slice(1, 22)}`;
  if (!existsSync(join(folder, 'data', 'meta.properties'))) {
    run('java', [
      '-Xmx128m',
      '-cp',
      libraries,
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      '-t',
      clusterId,
      '-c',
      settings,
    ]);
  }
  const log = openSync(join(folder, 'kafka.log'), 'a');
  let child: ChildProcess | undefined;
  const forget = () => {
    if (where.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  // Also when a test run is ended in the middle.
  const onExit = () => {
    child?.kill('SIGKILL');
    forget();
  };
  process.once('exit', onExit);
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    const fresh = spawn(
      'java',
      ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', libraries, 'kafka.Kafka', settings],
      { stdio: ['ignore', log, log] },
    );
    child = fresh;
    await untilOpen(port, () => fresh.exitCode === null).catch(async (error: unknown) => {
      await kill();
      throw new Error(`Kafka did not start: ${readFileSync(join(folder, 'kafka.log'), 'utf8').slice(-2_000)}`, {
        cause: error,
      });
    });
  };
  await start();
  return {
    addresses: [`127.0.0.1:${port}`],
    start,
    kill,
    stop: async () => {
      process.off('exit', onExit);
      await kill();
      forget();
    },
  };
}

async function startContainer(): Promise<Broker> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // The broker tells its clients where it is, so its port on the host must be known before it starts.
  const port = await freePort();
  const container = await new GenericContainer(image)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      ...Object.fromEntries(small.map(([key, value]) => [`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`, value])),
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(180_000)
    .start();
  return {
    addresses: [`127.0.0.1:${port}`],
    stop: async () => {
      await container.stop();
    },
  };
}

// One broker cannot keep three copies; a topic that nobody declared must fail here as it would in production.
const small = [
  ['offsets.topic.replication.factor', '1'],
  ['offsets.topic.num.partitions', '3'],
  ['transaction.state.log.replication.factor', '1'],
  ['transaction.state.log.min.isr', '1'],
  ['share.coordinator.state.topic.replication.factor', '1'],
  ['share.coordinator.state.topic.min.isr', '1'],
  ['group.initial.rebalance.delay.ms', '0'],
  // One that was killed is let in again when its old session is over: after nine seconds, were it not for this.
  ['broker.session.timeout.ms', '3000'],
  ['broker.heartbeat.interval.ms', '500'],
  ['auto.create.topics.enable', 'false'],
] as const;

function settingsOf(port: number, controllerPort: number, data: string): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${data}`,
    ...small.map(([key, value]) => `${key}=${value}`),
  ].join('\n');
}

/** Made whole or not at all: two test files may want the jars at once. */
function bringJars(): string {
  const libraries = join(cache, 'libs');
  if (existsSync(libraries)) return libraries;
  mkdirSync(cache, { recursive: true });
  const arriving = join(cache, `arriving-${process.pid}`);
  run('mvn', [
    '-q',
    '-B',
    '-f',
    join(project, 'pom.xml'),
    'dependency:copy-dependencies',
    `-DoutputDirectory=${arriving}`,
  ]);
  try {
    renameSync(arriving, libraries);
  } catch (error) {
    rmSync(arriving, { recursive: true, force: true });
    if (!existsSync(libraries)) throw error;
  }
  return libraries;
}

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  if (result.error !== undefined) throw new Error(`${command} cannot be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} failed: ${(result.stderr || result.stdout).slice(-500)}`);
}

async function untilOpen(port: number, isAlive: () => boolean): Promise<void> {
  const endAt = Date.now() + startWithinMs;
  while (Date.now() < endAt && isAlive()) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(isAlive() ? `port ${port} stayed closed for ${startWithinMs} ms` : 'the broker ended');
}
