import type { ServiceHome } from '@tillstream/database/migrate';

/** The tables of outbox, inbox, timers and parked messages: every service schema has them. */
export const messagingMigrations: URL = new URL('../migrations/', import.meta.url);

/** The schema of the carrier on Postgres. */
export const carrierHome: ServiceHome = {
  name: 'carrier',
  schema: 'carrier',
  role: 'tillstream_carrier',
  migrations: new URL('../carrier-migrations/', import.meta.url),
};
