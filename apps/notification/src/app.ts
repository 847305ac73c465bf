/** The notification service: one mail for each (order, kind), over SMTP. Rows with a unique key, no machine (domain/mail.ts says why). */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { fulfillmentEvents, orderEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import type { Config } from './config.ts';
import { mailsOfFulfillmentEvents } from './inbound/fulfillment-events.ts';
import { mailsOfOrderEvents } from './inbound/order-events.ts';
import { mailsOfSubscriptionEvents } from './inbound/subscription-events.ts';
import { answerTimeline } from './inbound/timeline-api.ts';
import type { ContentClients } from './outbound/content.ts';
import { Mails } from './outbound/mails.ts';
import { postman } from './outbound/postman.ts';
import { openSmtp, type Transport } from './outbound/smtp.ts';
import type { NotificationTables } from './outbound/tables.ts';

export type { NotificationTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'notification',
  schema: 'notification',
  role: 'tillstream_notification',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export function notificationApp(parts: {
  database: Database<NotificationTables>;
  clients: ContentClients;
  clock: Clock;
  log: Log;
  config: Config;
  /** What carries mails; absent = SMTP. */
  openTransport?: () => Transport;
}): ServiceApp {
  const { database, config, log } = parts;
  const mails = new Mails(database, parts.clock);
  const timeline = answerTimeline(async (merchantId, orderId) =>
    (await mails.ofOrder(merchantId, orderId)).map((row) => ({
      kind: row.kind,
      facts: row.facts ?? undefined,
      status: row.status,
      reason: row.reason,
      traceparent: row.traceparent,
      createdAt: row.created_at,
      sentAt: row.sent_at ?? undefined,
      dueAt: row.due_at,
    })),
  );
  return {
    name: home.name,
    database,
    rpc: [implement(TimelineApiService, timeline)],
    topics: [],
    // A service's group has one subscription, so that one batch may be of all its topics.
    subscriptions: [
      {
        group: home.name,
        topics: [orderEvents.name, fulfillmentEvents.name, subscriptionEvents.name],
        handle: (batch) =>
          mails.queue([
            ...mailsOfOrderEvents(batch.filter((message) => message.topic === orderEvents.name)),
            ...mailsOfFulfillmentEvents(batch.filter((message) => message.topic === fulfillmentEvents.name)),
            ...mailsOfSubscriptionEvents(batch.filter((message) => message.topic === subscriptionEvents.name)),
          ]),
      },
    ],
    timers: [],
    work: [{ what: 'mails', pending: (merchantId, now) => mails.pending(merchantId, now) }],
    workers: [
      postman({
        database,
        mails,
        clock: parts.clock,
        log,
        clients: parts.clients,
        openSmtp: () =>
          openSmtp({
            url: config.SMTP_URL,
            from: config.MAIL_FROM,
            ...(parts.openTransport === undefined ? {} : { openTransport: parts.openTransport }),
          }),
        messageIdDomain:
          config.MAIL_DOMAIN === '' ? (config.MAIL_FROM.split('@')[1] ?? 'localhost') : config.MAIL_DOMAIN,
        policy: { firstMs: config.MAIL_RETRY_FIRST_MS, giveUpMs: config.MAIL_GIVE_UP_MS },
      }),
    ],
  };
}

export type { Transport } from './outbound/smtp.ts';

export { settings } from './config.ts';
