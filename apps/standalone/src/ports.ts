/** Which port is whose: offsets from PORT_BASE, the same in every form that runs on one machine. */
import { createServer } from 'node:net';
import { services, type ServiceName } from '@tillstream/service/manifest';

export const offsets = {
  gateway: 0,
  checkout: 1,
  console: 2,
  mail: 3,
  sandbox: 4,
  smtp: 5,
  postgres: 6,
  // gRPC, where each service is a process of its own.
  ...offsetsOfServices(),
} as const;

export type PortName = keyof typeof offsets;

function offsetsOfServices(): Readonly<Record<ServiceName, number>> {
  const entries = services.map(({ name, portOffset }) => [name, portOffset] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each name
  return Object.fromEntries(entries) as Record<ServiceName, number>;
}

export type Ports = Readonly<Record<PortName, number>>;

export function portsFrom(base: number): Ports {
  const entries = Object.entries(offsets).map(([name, offset]) => [name, base + offset] as const);
  const ports: Record<string, number> = Object.fromEntries(entries);
  return { ...offsets, ...ports };
}

const inOneProcess = ['gateway', 'checkout', 'console', 'mail', 'sandbox', 'smtp'] as const satisfies PortName[];

/**
 * The ports on which somebody listens already, with their names. The database answers for its own: right after a kill -9
 * its server may still be shutting down, and the next start waits for it.
 */
export async function takenPorts(ports: Ports, host: string): Promise<readonly string[]> {
  const checked = await Promise.all(
    inOneProcess.map(async (name) => ((await isFree(ports[name], host)) ? undefined : `${ports[name]} (${name})`)),
  );
  return checked.filter((taken) => taken !== undefined);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
