/** The schemas of the services, by name: their migrations are read, none of their code is. */
import type { ServiceHome } from '@tillstream/database/migrate';
import { carrierHome, messagingMigrations } from '@tillstream/messaging/migrations';

const folders: Record<string, string> = { webhook: 'webhook-dispatcher' };

export function homeOf(schema: string): ServiceHome {
  if (schema === 'carrier') return carrierHome;
  const name = folders[schema] ?? schema;
  const migrations = new URL(`../../../apps/${name}/migrations/`, import.meta.url);
  const shared = schema === 'gateway' ? {} : { shared: [messagingMigrations] };
  return { name, schema, role: `tillstream_${schema}`, migrations, ...shared };
}
