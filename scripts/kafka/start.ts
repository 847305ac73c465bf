// One Kafka broker for a developer who has Java and Maven but no Docker: `node scripts/kafka/start.ts [port]`. Its data stay
// in .data/kafka; remove the folder to begin anew. Ctrl-C ends it.
import { join } from 'node:path';
import { startJars } from '../../packages/testkit/src/broker.ts';

const port = Number(process.argv[2] ?? 9092);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`"${process.argv[2]}" is not a port. Usage: node scripts/kafka/start.ts [port]`);
  process.exit(2);
}
const folder = join(import.meta.dirname, '..', '..', '.data', 'kafka');
console.log('Starting Kafka (the first time its jars are fetched, 43 MB) …');
try {
  const broker = await startJars({ port, folder });
  console.log(`Kafka listens on ${broker.addresses.join(',')}. Data and log are in ${folder}. Ctrl-C ends it.`);
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void broker.stop().then(() => process.exit(0));
    });
  }
} catch (error) {
  console.error(`No broker was started: ${error instanceof Error ? error.message : String(error)}`);
  console.error(
    'Java 17 and Maven are needed here; with a Docker engine use `docker compose --profile infra up` instead.',
  );
  process.exitCode = 1;
}
