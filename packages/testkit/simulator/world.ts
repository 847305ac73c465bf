/** Everything of one history: the services in their processes, what they keep, and what is around them. */
import { superviseApp } from '@tillstream/service/supervise';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { makeClient } from '@tillstream/rpc/client';
import { Broker, carrierOf } from './carrier.ts';
import type { Posted } from './actors/program.ts';
import { Door, isInjectable } from './door.ts';
import { runAs, type Owner } from './engine/owner.ts';
import type { Mortal, Scheduler } from './engine/scheduler.ts';
import { MailServer } from './outside/mail-server.ts';
import { Provider } from './outside/provider.ts';
import { Receivers } from './outside/receivers.ts';
import { homes, makeService, serviceNames, type ServiceName } from './product.ts';
import { Exchange } from './rpc.ts';
import { simulatedPool, type SimulatedPool } from './storage/pool.ts';
import type { Storage } from './storage/storage.ts';

interface Process extends Mortal {
  readonly pools: SimulatedPool[];
}

// From a kill to the start of its successor.
const [soonestMs, latestMs] = [100, 4_000];

export interface WorldParts {
  readonly scheduler: Scheduler;
  readonly storage: Storage;
  readonly webhookSecrets: ReadonlyMap<string, string>;
  /** Where the lines go that the services log. */
  readonly log?: (line: string) => void;
}

export class World {
  readonly scheduler: Scheduler;
  readonly storage: Storage;
  readonly broker: Broker;
  readonly exchange: Exchange;
  readonly door: Door;
  readonly provider: Provider;
  readonly mailServer: MailServer;
  readonly receivers: Receivers;
  /** Customers and whoever else acts from outside. */
  readonly actors = new Set<Owner>();
  readonly #processes = new Set<Process>();
  readonly #log: (line: string) => void;
  /** What the services logged. */
  readonly lines: string[] = [];
  /** What merchants' programs were answered. */
  readonly posted: Posted[] = [];
  #hasDoor = false;
  #isOver = false;
  kills = 0;

  constructor({ scheduler, storage, webhookSecrets, log }: WorldParts) {
    this.scheduler = scheduler;
    this.storage = storage;
    this.#log = log ?? (() => undefined);
    this.broker = new Broker({
      point: (operation) => scheduler.point(operation),
      below: (below) => scheduler.random.below(below),
    });
    this.exchange = new Exchange(scheduler);
    this.door = new Door(scheduler);
    this.mailServer = new MailServer(scheduler);
    this.receivers = new Receivers(scheduler, webhookSecrets);
    const payments = makeClient(PaymentApiService, this.exchange.channel(homes.payment.name), { deadlineMs: 10_000 });
    this.provider = new Provider(scheduler, (provider, headers, body) =>
      payments.receiveCallback({ provider, headers, body }),
    );
    this.actors.add(this.provider.owner);
  }

  /** `more`: these as well, or in a second process. */
  bootAll(more: readonly ServiceName[] = []): void {
    this.#hasDoor = more.includes('gateway');
    for (const name of [...serviceNames, ...more]) this.#boot(name);
  }

  /** Nobody goes on; the next history has a world of its own. */
  end(): void {
    this.#isOver = true;
    for (const actor of this.actors) actor.isAlive = false;
    for (const process of this.#processes) process.kill();
  }

  /** Whether every service answers. */
  isServing(): boolean {
    return (
      serviceNames.every((name) => this.exchange.isServed(homes[name].name)) && (!this.#hasDoor || this.door.isOpen)
    );
  }

  #boot(name: ServiceName): void {
    const pools: SimulatedPool[] = [];
    const process: Process = {
      name,
      pools,
      isAlive: true,
      kill: () => this.#kill(name, process),
    };
    this.#processes.add(process);
    const { scheduler, storage } = this;
    const line = (level: string) => (fields: object, text: string) => {
      if (!process.isAlive) return;
      const said = `${level} ${name} ${text} ${describe(fields)}`;
      this.lines.push(said);
      if (level !== 'info') this.#log(said);
    };
    const log = { info: line('info'), warn: line('warn'), error: line('error') };
    runAs(process, () => {
      const { app, clock } = makeService(
        name,
        (config) => {
          const made = simulatedPool({ storage, scheduler }, config);
          pools.push(made);
          return made.pool;
        },
        {
          channel: (service) => this.exchange.channel(service),
          provider: this.provider,
          mailServer: this.mailServer,
          receivers: this.receivers,
          log,
        },
      );
      // A start that fails ends the process; whoever watches over it starts another.
      const open = async (): Promise<void> => {
        await superviseApp(app, { carrier: carrierOf(this.broker), clock, exchange: this.exchange, log });
        const { http } = app;
        if (!isInjectable(http)) return;
        // It takes turns of the real event loop, now more and now less: nobody goes on meanwhile.
        const ready = Promise.resolve(http.ready());
        scheduler.hold(ready.catch(() => undefined));
        await ready;
        this.door.serve(process, http);
      };
      open().catch((error: unknown) => {
        log.error({ err: error }, 'did not start');
        process.kill();
      });
    });
  }

  #kill(name: ServiceName, process: Process): void {
    if (!process.isAlive) return;
    process.isAlive = false;
    this.#processes.delete(process);
    this.kills += 1;
    for (const each of process.pools) each.drop();
    this.exchange.forget(process);
    this.door.forget(process);
    for (const group of this.broker.groups.values()) this.broker.deal(group);
    if (this.#isOver) return;
    const pauseMs = soonestMs + this.scheduler.random.below(latestMs - soonestMs);
    this.scheduler.time.later(pauseMs, () => {
      if (!this.#isOver) this.#boot(name);
    });
  }
}

function describe(fields: object): string {
  let said = '';
  for (const [name, value] of Object.entries(fields)) said += ` ${name}=${worded(value)}`;
  return said.slice(1);
}

/** As JSON, in which a bigint is its digits. */
function worded(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Error) return value.stack ?? value.message;
  if (Array.isArray(value)) return value.map(worded).join(',');
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
