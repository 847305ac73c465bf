/** The payment service: payments, their attempts at providers, and what providers say of them. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { makePerformer } from '@tillstream/messaging/perform';
import { schedule } from '@tillstream/messaging/timers';
import { paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import { onWake, wake } from '@tillstream/messaging/wake';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp, Worker } from '@tillstream/service/app';
import { makeVault } from '@tillstream/vault/vault';
import type { Config } from './config.ts';
import { methods } from './domain/methods.ts';
import { payment } from './domain/payment.ts';
import { CallbackIntake } from './inbound/callbacks.ts';
import { Charges } from './inbound/charges.ts';
import { answerPaymentApi } from './inbound/payment-api.ts';
import { ProviderCalls } from './inbound/provider-calls.ts';
import { hearCharges } from './inbound/subscription-events.ts';
import { AccountHealth } from './outbound/account-health.ts';
import { Attempts } from './outbound/attempts.ts';
import { Callbacks } from './outbound/callbacks.ts';
import { Offered } from './outbound/offered.ts';
import { paymentKeeper } from './outbound/payment-keeper.ts';
import { readTimeline } from './outbound/payment-timeline.ts';
import { Payments } from './outbound/payments.ts';
import { pendingWork } from './outbound/pending.ts';
import { ProviderAccounts } from './outbound/provider-accounts.ts';
import { allProviders } from './outbound/providers/all.ts';
import { sharedTransports } from './outbound/providers/http.ts';
import { readStandings } from './outbound/renewals.ts';
import { resealCredentials } from './outbound/reseal-credentials.ts';
import type { PaymentTables } from './outbound/tables.ts';
import type { HttpTransport, OfAccount, ProviderKind } from './ports.ts';
import { followKeys, writeHealth } from './workers/provider-accounts.ts';

export const home: ServiceHome = {
  name: 'payment',
  schema: 'payment',
  role: 'tillstream_payment',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export function paymentApp(parts: {
  database: Database<PaymentTables>;
  clock: Clock;
  log: Log;
  config: Config;
  /** How requests reach providers; absent = over HTTP. */
  transport?: HttpTransport;
  /** The providers that there are; absent = those of this installation. */
  providers?: ReadonlyMap<string, ProviderKind>;
  /** How long a change of an account may go unheeded; absent = 10 s. */
  accountsKeptForMs?: number;
}): ServiceApp {
  const { database, clock, log, config } = parts;
  const { transport } = parts;
  const kinds = parts.providers ?? allProviders(config);
  const vault = makeVault(config.VAULT_KEYS);
  const health = new AccountHealth(database, log);
  const accounts = new ProviderAccounts({
    database,
    vault,
    kinds,
    callbackBaseUrl: config.CALLBACK_BASE_URL,
    transport: transport === undefined ? sharedTransports() : () => transport,
    watch: (account, through) => health.watch(account, through),
    log,
    ...(parts.accountsKeptForMs === undefined ? {} : { keptForMs: parts.accountsKeptForMs }),
  });
  const account = (payment: OfAccount) => accounts.of(payment);
  const offered = new Offered(accounts, kinds);
  const payments = new Payments(database);
  const performer = makePerformer({ database, machine: payment, keeper: paymentKeeper, name: 'payment', log });
  const attempts = new Attempts(database, () => clock.travellers());
  // Waking with the database's every commit would have each purchase look for renewals.
  const chargesDue = {};
  const charges = new Charges({ attempts, account, performer, clock, log, wake: () => wake(chargesDue) });
  const hearChargesDue = hearCharges({ standings: (asked) => readStandings(database, asked), performer, clock });
  const whenClockSet: Wakes = (listener) => onWake(clock, listener);
  const calls = new ProviderCalls({
    attempts,
    charges,
    payments,
    account,
    performer,
    schedule: (timer, kind, dueAt) =>
      database.statement([timer.merchantId], (tx) =>
        schedule(tx, [
          {
            machine: 'payment',
            aggregateId: timer.aggregateId,
            merchantId: timer.merchantId,
            traceparent: timer.traceparent,
            change: { type: 'set', kind, dueAt },
          },
        ]),
      ),
    clock,
    log,
  });
  const callbacks = new CallbackIntake({ store: new Callbacks(database), kinds, accounts, performer, clock, log });
  return {
    name: home.name,
    database,
    rpc: [
      implement(
        PaymentApiService,
        answerPaymentApi({
          payments,
          performer,
          calls,
          callbacks,
          clock,
          accountFor: (merchant, wanted) => offered.accountFor(merchant, wanted),
          methods: (merchant, wanted) => offered.methods(merchant, wanted),
          catalogue: methods,
        }),
      ),
      implement(TimelineApiService, {
        readTimeline: ({ merchantId, orderId }) => readTimeline(database, merchantId, orderId),
      }),
    ],
    topics: [paymentEvents],
    subscriptions: [
      {
        group: home.name,
        topics: [subscriptionEvents.name],
        handle: async (batch) => {
          await hearChargesDue(batch);
          wake(chargesDue);
        },
      },
    ],
    timers: [calls],
    workers: [
      // Pages are opened by the call that makes the payment; a worker is woken for them only when a clock may have been set.
      repeat('open pages', 2_000, () => calls.open(), whenClockSet),
      // Two: one calls the provider while the other commits what was answered.
      ...['charge', 'charge too'].map((name) =>
        repeat(
          name,
          2_000,
          () => charges.call(),
          (listener) => {
            const forget = [onWake(chargesDue, listener), whenClockSet(listener)];
            return () => forget.forEach((each) => each());
          },
        ),
      ),
      repeat('apply callbacks', 2_000, () => callbacks.applyDue()),
      writeHealth(health),
      followKeys((signal) => resealCredentials({ database, vault, log }, signal), log),
    ],
    work: pendingWork(database),
  };
}

type Wakes = (listener: () => void) => () => void;

/** Looks for what is due; goes on at once while there is more, and when woken. */
function repeat(name: string, everyMs: number, turn: () => Promise<number>, wakes?: Wakes): Worker {
  return {
    name,
    async run(signal) {
      let isWoken = false;
      let goOn: (() => void) | undefined;
      const wakeUp = () => {
        isWoken = true;
        goOn?.();
      };
      const forget = wakes?.(wakeUp);
      signal.addEventListener('abort', wakeUp);
      try {
        while (!signal.aborted) {
          isWoken = false;
          if ((await turn()) > 0 || isWoken) continue;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, everyMs);
            goOn = () => {
              clearTimeout(timer);
              resolve();
            };
          });
          goOn = undefined;
        }
      } finally {
        forget?.();
        signal.removeEventListener('abort', wakeUp);
      }
    },
  };
}

export type { HttpTransport } from './ports.ts';
export type { PaymentTables } from './outbound/tables.ts';

export { settings } from './config.ts';
