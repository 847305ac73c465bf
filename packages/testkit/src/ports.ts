/**
 * Ports for programs that are told theirs. They lie below those that a kernel gives to outgoing connections (Linux from
 * 32768, gVisor from 16000): a port above, found free, may be a neighbour's connection when the program comes to it.
 */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const first = 11_000;
const perRun = 40;
const runs = 120;

/**
 * The first of 39 free ports in a row. They stay this process's own, among those that ask here, until it ends: it listens
 * on the fortieth. Throws when no run is free.
 */
export async function claimPorts(): Promise<number> {
  const start = randomInt(runs);
  for (let nth = 0; nth < runs; nth += 1) {
    const base = first + ((start + nth) % runs) * perRun;
    const claim = await listen(base + perRun - 1);
    if (claim === undefined) continue;
    const isFree = Array.from({ length: perRun - 1 }, async (_, offset) => {
      const probe = await listen(base + offset);
      if (probe !== undefined) await new Promise((resolve) => probe.close(resolve));
      return probe !== undefined;
    });
    if ((await Promise.all(isFree)).every(Boolean)) return base;
    claim.close();
  }
  throw new Error(`no run of ${perRun} free ports from ${first} on`);
}

let own: Promise<number> | undefined;
let given = 0;

/** A free port, no other than before until 39 were given. */
export async function freePort(): Promise<number> {
  const base = await (own ??= claimPorts());
  for (let tries = 0; tries < perRun; tries += 1) {
    const port = base + (given++ % (perRun - 1));
    const probe = await listen(port);
    if (probe === undefined) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
  throw new Error(`none of the ports from ${base} on is free any more`);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server.unref()));
  });
}
