// One Kafka broker for a developer who has Java and Maven but no Docker: `node scripts/kafka/start.ts [port]`. Its data stay
// in .data/kafka; remove the folder to begin anew. Ctrl-C ends it.
import { join } from 'node:path';
import { findJars, startJarBroker } from '../../packages/testkit/src/kafka-jars.ts';

const port = Number(process.argv[2] ?? 9092);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`"${process.argv[2]}" is not a port. Usage: node scripts/kafka/start.ts [port]`);
  process.exit(2);
}
console.log('Looking for Kafka’s jars (43 MB are fetched the first time) …');
const jars = findJars();
if ('missing' in jars) {
  console.error(`No broker was started: ${jars.missing}. Java 17 and Maven are needed, or use \`docker compose --profile infra up\`.`);
  process.exit(1);
}
const directory = join(import.meta.dirname, '../../.data/kafka');
const broker = await startJarBroker(jars.folder, { port, directory });
console.log(`Kafka listens on ${broker.brokers.join(',')}, its data and log are in ${directory}. Ctrl-C ends it.`);

let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    void broker.stop().then(() => process.exit(0));
  });
}
