/** The schemas of the services, by name: their migrations are read, none of their code is. */
import type { ServiceHome } from '@tillstream/database/migrate';
import { jobsMigrations } from '@tillstream/jobs/migrations';
import { carrierHome, messagingMigrations } from '@tillstream/messaging/migrations';

const folders: Record<string, string> = { webhook: 'webhook-dispatcher' };

/** Services that call the outside by jobs. */
const withJobs: ReadonlySet<string> = new Set(['notification']);

export function homeOf(schema: string): ServiceHome {
  if (schema === 'carrier') return carrierHome;
  const name = folders[schema] ?? schema;
  const migrations = new URL(`../../../apps/${name}/migrations/`, import.meta.url);
  const shared = schema === 'gateway' ? [] : [messagingMigrations, ...(withJobs.has(schema) ? [jobsMigrations] : [])];
  return { name, schema, role: `tillstream_${schema}`, migrations, shared };
}
