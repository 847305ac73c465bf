/** The tables of jobs: a service that calls the outside has them, after messaging's. */
export const jobsMigrations: URL = new URL('../migrations/', import.meta.url);
