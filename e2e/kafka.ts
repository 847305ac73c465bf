import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Undefined when the split form can be run here, else why not. CI insists (TILLSTREAM_REQUIRE_KAFKA). */
export function whyNoKafka(): string | undefined {
  if (process.env['TILLSTREAM_REQUIRE_KAFKA'] === '1' || process.env['TEST_KAFKA_BROKERS'] !== undefined)
    return undefined;
  if (existsSync('/var/run/docker.sock') || process.env['DOCKER_HOST'] !== undefined) return undefined;
  const has = (program: string) => spawnSync(program, ['-version'], { stdio: 'ignore' }).status === 0;
  return has('java') && has('mvn') ? undefined : 'it needs Kafka: a container engine, or Java 17 and Maven';
}
