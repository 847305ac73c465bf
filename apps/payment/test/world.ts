/** A payment service with the real sandbox beside it, over real HTTP. */
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { subscriptionEvents } from '@tillstream/messaging/topics';
import type { Database } from '@tillstream/database/database';
import { PaymentApiService, type CreatePaymentRequest, type Payment } from '@tillstream/proto/payment/v1/payment_api';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { SubscriptionEvent, type ChargeDue } from '@tillstream/proto/subscription/v1/subscription_events';
import type { Client } from '@tillstream/rpc/client';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Carrier, OutgoingMessage } from '@tillstream/messaging/message';
import { startApp, type StartedApp } from '@tillstream/testkit/app';
import { eventually } from '@tillstream/testkit/eventually';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { startProgram, type RunningProgram } from '@tillstream/testkit/program';
import { createHmac, randomUUIDv7 } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { home, paymentApp, type PaymentTables } from '../src/app.ts';
import type { Config } from '../src/config.ts';
import { allProviders } from '../src/outbound/providers/all.ts';
import type { ProviderKind } from '../src/ports.ts';

export interface World {
  readonly api: Client<typeof PaymentApiService>;
  readonly database: Database<PaymentTables>;
  /** As the superuser. */
  readonly admin: TestDatabase['admin'];
  /** Another connection, as another process has it. */
  open(hear?: (statement: string) => void): Database<PaymentTables>;
  readonly config: Config;
  readonly providers: ReadonlyMap<string, ProviderKind>;
  readonly clockApi: Client<typeof ClockApiService>;
  /** Puts a merchant's clock there, where it stands. */
  setClock(at: Date, merchant?: string): Promise<void>;
  readonly sandboxUrl: string;
  /** Callbacks that arrived, as the gateway would hand them on. */
  readonly callbacks: { readonly address: string; readonly headers: Record<string, string>; readonly body: Buffer }[];
  /** Whether callbacks are handed on as they arrive. */
  handsOn: boolean;
  create(orderId: bigint, more?: Partial<CreatePaymentRequest>): Promise<Payment>;
  payment(orderId: bigint, merchant?: string): Promise<Payment | undefined>;
  /** Resolves when the order's newest payment has this status. */
  until(orderId: bigint, status: string, merchant?: string): Promise<Payment>;
  /** As the subscription service says it. Answers the message, to be said again. */
  chargeDue(charge: Partial<ChargeDue> & Renewal): Promise<readonly OutgoingMessage[]>;
  say(messages: readonly OutgoingMessage[]): Promise<void>;
  sandbox(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
  submitCard(payment: Payment, number: string, expiry?: string): Promise<Response>;
  submit(payment: Payment, form: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

interface Renewal {
  readonly orderId: bigint;
  readonly instrumentId: string;
  readonly merchant?: string;
  readonly subscriptionId?: string;
  readonly messageId?: string;
}

export const merchantId = '01890000-0000-7000-8000-000000000001';
export const otherMerchantId = '01890000-0000-7000-8000-000000000002';
const secret = 'sandbox-secret-for-tests';
export const vaultKeys = `k1:${Buffer.alloc(32, 9).toString('base64')}`;
const callbackSecret = 'callback-secret-for-tests';

/** Of the account that the address names; the sandbox derives it likewise (apps/sandbox/src/accounts.ts). */
export function callbackSecretOf(address: string): string {
  return address === 'sandbox'
    ? callbackSecret
    : createHmac('sha256', callbackSecret).update(`callbacks|${address}`).digest('hex');
}

export interface WorldOptions {
  /** Makes other providers of those that the installation has. */
  readonly providers?: (all: ReadonlyMap<string, ProviderKind>) => ReadonlyMap<string, ProviderKind>;
  readonly accountsKeptForMs?: number;
}

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const store: TestDatabase = await testDatabase(home, carrierHome);
  const callbacks: World['callbacks'] = [];
  // Stands where the gateway stands.
  const gateway: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const url = request.url ?? '';
      const callback = { address: url.slice(url.lastIndexOf('/') + 1), headers, body: Buffer.concat(chunks) };
      callbacks.push(callback);
      const handed = world.handsOn
        ? world.api.receiveCallback({ provider: callback.address, ...callback })
        : Promise.resolve();
      handed.then(
        () => response.writeHead(200).end(),
        () => response.writeHead(500).end(),
      );
    });
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const address = gateway.address();
  const gatewayUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const sandbox: RunningProgram = await startProgram('sandbox', (port) => ({
    SANDBOX_SECRET: secret,
    SANDBOX_CALLBACK_SECRET: callbackSecret,
    SANDBOX_CALLBACK_URL: `${gatewayUrl}/provider_callbacks/sandbox`,
    SANDBOX_PUBLIC_URL: `http://127.0.0.1:${port}`,
    SANDBOX_SILENCE_MS: '600',
  }));
  const sandboxUrl = `http://127.0.0.1:${sandbox.port}`;
  const database = store.open<PaymentTables>();
  const clock = new MerchantClocks(database);
  let settings = 0n;
  const carrier: Carrier = embeddedCarrier({ url: store.url.replace(home.role, carrierHome.role), log: quietLog() });
  const config = {
    SANDBOX_URL: sandboxUrl,
    SANDBOX_SECRET: secret,
    SANDBOX_CALLBACK_SECRET: callbackSecret,
    CALLBACK_BASE_URL: gatewayUrl,
    VAULT_KEYS: vaultKeys,
  };
  const log = quietLog();
  const all = allProviders(config);
  const { accountsKeptForMs } = options;
  const parts = {
    database,
    clock,
    log,
    config,
    providers: options.providers?.(all) ?? all,
    ...(accountsKeptForMs === undefined ? {} : { accountsKeptForMs }),
  };
  const app: StartedApp = await startApp(paymentApp(parts), { carrier, clock, log });
  const api = app.client(PaymentApiService);

  const world: World = {
    api,
    admin: store.admin,
    config,
    open: (hear) => store.open<PaymentTables>(hear),
    providers: parts.providers,
    database,
    clockApi: app.client(ClockApiService),
    async setClock(at, merchant = merchantId) {
      settings += 1n;
      await clock.set({ merchantId: merchant, sequence: settings, at, isStanding: true });
    },
    sandboxUrl,
    callbacks,
    handsOn: true,
    async create(orderId, more = {}) {
      const { payment } = await api.createPayment({
        merchantId,
        orderId,
        amountMinor: 10_000n,
        currency: 'EUR',
        method: 'CreditCard',
        returnUrl: 'http://127.0.0.1:9/thanks',
        locale: 'en',
        description: 'A0000000001',
        livemode: false,
        saveInstrument: false,
        country: '',
        expiryMinutes: 0,
        ...more,
      });
      if (payment === undefined) throw new Error('no payment');
      return payment;
    },
    async chargeDue({ merchant = merchantId, subscriptionId, messageId = randomUUIDv7(), ...charge }) {
      const now = clock.now(merchant);
      const event = {
        header: {
          eventId: messageId,
          merchantId: merchant,
          aggregateVersion: 1n,
          occurredAt: now,
          schemaVersion: 1,
          traceparent: '',
        },
        subscriptionId: subscriptionId ?? `${charge.orderId}_1`,
        parentOrderId: 1n,
        parentItemId: 1n,
        payload: {
          $case: 'chargeDue' as const,
          value: { term: 2, slot: 0, amountMinor: 10_000n, currency: 'EUR', livemode: false, ...charge },
        },
      };
      const about = { eventId: messageId, now, traceparent: '', merchantId: merchant };
      const value = SubscriptionEvent.encode(event).finish();
      const messages = [toMessage(subscriptionEvents, 'subscription', '1', about, value)];
      await carrier.publish(messages);
      return messages;
    },
    say: (messages) => carrier.publish(messages),
    async payment(orderId, merchant = merchantId) {
      const { payments } = await api.listPayments({
        merchantId: merchant,
        orderId,
        status: '',
        limit: 1,
        startingAfter: '',
        endingBefore: '',
      });
      return payments[0];
    },
    until: (orderId, status, merchant) =>
      eventually(async () => {
        const payment = await world.payment(orderId, merchant);
        return payment?.status === status ? payment : undefined;
      }),
    async sandbox(method, path, body) {
      const answer = await fetch(`${sandboxUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${secret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answer.json();
    },
    submitCard: (payment, number, expiry = '12/34') => world.submit(payment, { number, expiry, cvc: '123' }),
    submit: (payment, form) =>
      fetch(payment.redirectUrl, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) }),
    async stop() {
      await app.stop();
      await sandbox.stop();
      gateway.closeAllConnections();
      await new Promise((resolve) => gateway.close(resolve));
      await carrier.close();
      await store.drop();
    },
  };
  return world;
}
