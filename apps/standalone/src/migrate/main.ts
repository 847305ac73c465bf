/** Brings every schema and role up to date and ends: what runs before the services of a new version (deploy/README.md). */
import process from 'node:process';
import { ConfigError, describeConfig, readConfig } from '@tillstream/service/config';
import { migrateSettings } from '../config.ts';
import { homes, migrateAll } from '../product.ts';

try {
  const config = readConfig(migrateSettings, process.env);
  if (process.argv.includes('--print-config')) {
    console.log(describeConfig(migrateSettings, config));
  } else {
    await migrateAll(config.ADMIN_DATABASE_URL, config.ROLE_PASSWORD);
    console.log(`up to date: ${homes.map((home) => home.schema).join(', ')}`);
  }
} catch (error) {
  if (error instanceof ConfigError) console.error(error.message);
  else console.error('The schemas are not up to date:', error);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
