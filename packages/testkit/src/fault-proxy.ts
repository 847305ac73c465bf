/**
 * A network that fails on command, between a service and Postgres: answers of COMMIT that are swallowed, connections that are
 * reset, directions that go silent, latency. Seeded, so that a story of failures can be told again.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Direction = 'to server' | 'to client';

export interface FaultProxy {
  readonly port: number;
  /** Of so many COMMITs (0 to 1) the answer is swallowed and the connection reset: it is done, and nobody knows. */
  loseCommits(share: number): void;
  /** Each chunk takes so long, in both directions; undefined = no longer. */
  delay(ms: { readonly from: number; readonly to: number } | undefined): void;
  /** Nothing gets through in that direction, and nothing says so; undefined = it flows again, nothing was lost. */
  blackhole(direction: Direction | undefined): void;
  /** Resets every connection. */
  reset(): void;
  counts(): { readonly connections: number; readonly commits: number; readonly lostCommits: number };
  stop(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startFaultProxy(options: {
  readonly to: { readonly host: string; readonly port: number };
  readonly seed: number;
  /** Default: a free one. */
  readonly port?: number;
}): Promise<FaultProxy> {
  const random = seeded(options.seed);
  const links = new Set<Link>();
  let [lossShare, connections, commits, lostCommits] = [0, 0, 0, 0];
  let latency: { readonly from: number; readonly to: number } | undefined;
  let silent: Direction | undefined;

  const cut = (link: Link): void => {
    links.delete(link);
    link.client.resetAndDestroy();
    link.server.resetAndDestroy();
  };

  /** Whether the answer of a COMMIT, which has just come by, is to be lost. */
  const losesThis = (): boolean => {
    commits += 1;
    if (random() >= lossShare) return false;
    lostCommits += 1;
    return true;
  };

  /** Passes chunks on in their order, however long each takes. */
  const passing = (link: Link, to: Socket): ((chunk: Buffer) => void) => {
    let last = Promise.resolve();
    return (chunk) => {
      if (latency === undefined) {
        void last.then(() => to.write(chunk));
        return;
      }
      const ms = latency.from + random() * (latency.to - latency.from);
      last = last
        .then(() => new Promise((resolve) => setTimeout(resolve, ms)))
        .then(() => void (links.has(link) && to.write(chunk)));
    };
  };

  const join = (client: Socket): void => {
    connections += 1;
    const server = connect({ ...options.to, noDelay: true });
    client.setNoDelay(true);
    const link: Link = { client, server };
    links.add(link);
    for (const socket of [client, server]) {
      socket.on('error', () => cut(link));
      socket.on('close', () => cut(link));
    }
    const [forth, back] = [passing(link, server), passing(link, client)];
    const watch = commitWatch(losesThis);
    client.on('data', forth);
    server.on('data', (chunk: Buffer) => {
      const { before, isLost } = watch(chunk);
      if (before.length > 0) back(before);
      if (isLost) cut(link);
    });
    if (silent !== undefined) hush(link, silent);
  };

  const listener = createServer(join);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    loseCommits: (share) => (lossShare = share),
    delay: (ms) => (latency = ms),
    blackhole(direction) {
      silent = direction;
      for (const link of links) {
        link.client.resume();
        link.server.resume();
        if (direction !== undefined) hush(link, direction);
      }
    },
    reset() {
      for (const link of links) cut(link);
    },
    counts: () => ({ connections, commits, lostCommits }),
    async stop() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const link of links) cut(link);
      await closed;
    },
  };
}

/** What is not read waits in the sender's window, as it does behind a wall that drops packets. */
function hush(link: Link, direction: Direction): void {
  (direction === 'to server' ? link.client : link.server).pause();
}

/**
 * Reads the server's side of the protocol: frames of a type byte and a length. A `C` (CommandComplete) with COMMIT is asked
 * about; when it is lost, neither it nor anything after it comes through.
 */
function commitWatch(isLost: () => boolean): (chunk: Buffer) => { readonly before: Buffer; readonly isLost: boolean } {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (all.length - at >= 5) {
      const end = at + 1 + all.readInt32BE(at + 1);
      if (end > all.length) break;
      const isCommit = all[at] === 0x43 && all.toString('latin1', at + 5, end - 1) === 'COMMIT';
      if (isCommit && isLost()) return { before: all.subarray(0, at), isLost: true };
      at = end;
    }
    rest = all.subarray(at);
    return { before: all.subarray(0, at), isLost: false };
  };
}

/** Mulberry32: the same numbers for the same seed, in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
