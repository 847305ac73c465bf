/** The notification service: one mail for each (order, kind), over SMTP. Rows with a unique key, no machine (domain/mail.ts says why). */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import { jobsMigrations } from '@tillstream/jobs/migrations';
import { jobWork } from '@tillstream/jobs/work';
import { Jobs } from '@tillstream/jobs/worker';
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
import { gatherContent, type ContentClients } from './outbound/content.ts';
import { mailJobs, Mails, nameOfTry } from './outbound/mails.ts';
import { openSmtp, type Transport } from './outbound/smtp.ts';
import type { NotificationTables } from './outbound/tables.ts';
import { mailHandler } from './workers/mail-worker.ts';

export type { NotificationTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'notification',
  schema: 'notification',
  role: 'tillstream_notification',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations, jobsMigrations],
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
  const kind = mailJobs({ firstMs: config.MAIL_RETRY_FIRST_MS, giveUpMs: config.MAIL_GIVE_UP_MS });
  const mails = new Mails(database, parts.clock, kind);
  const smtp = openSmtp({
    url: config.SMTP_URL,
    from: config.MAIL_FROM,
    ...(parts.openTransport === undefined ? {} : { openTransport: parts.openTransport }),
  });
  const sending = new Jobs({
    database,
    clock: parts.clock,
    log,
    kind,
    handler: mailHandler({
      readContent: (due, nowOf) => gatherContent(parts.clients, due, nowOf),
      send: (messageId, letter) => smtp.send(messageId, letter),
      messageIdDomain: config.MAIL_DOMAIN === '' ? (config.MAIL_FROM.split('@')[1] ?? 'localhost') : config.MAIL_DOMAIN,
      clock: parts.clock,
      log,
    }),
    close: () => smtp.close(),
  });
  const timeline = answerTimeline((merchantId, orderId) => mails.ofOrder(merchantId, orderId));
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
    work: [jobWork(database, [kind], nameOfTry)],
    workers: sending.workers(),
  };
}

export type { Transport } from './outbound/smtp.ts';

export { settings } from './config.ts';
