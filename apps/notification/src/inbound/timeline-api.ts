/** What this service knows of an order: the mails about it. Says neither to whom nor what was in them. */
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Handlers } from '@tillstream/rpc/server';
import { traceIdOf } from '@tillstream/telemetry/trace';
import type { MailKind } from '../domain/mail.ts';
import type { MailOfOrder } from '../ports.ts';

const names: Readonly<Partial<Record<MailKind, string>>> = {
  payment_confirmed: 'payment confirmation',
  licence: 'licence mail',
  pool_low: 'notice of a low pool',
};
const source = 'notification';

export function answerTimeline(
  mailsOf: (merchantId: string, orderId: bigint) => Promise<readonly MailOfOrder[]>,
): Handlers<typeof TimelineApiService> {
  return {
    readTimeline: async ({ merchantId, orderId }) => {
      // What the merchant switched off neither happened nor is waited for.
      const mails = (await mailsOf(merchantId, orderId)).filter((mail) => mail.status !== 'not_wanted');
      return {
        entries: mails.flatMap(entriesOf).toSorted((a, b) => (a.at?.getTime() ?? 0) - (b.at?.getTime() ?? 0)),
        awaited: mails.flatMap(awaitedOf),
      };
    },
  };
}

function nameOf({ kind, facts }: MailOfOrder): string {
  switch (facts?.kind) {
    case 'renewal_notice':
      return `notice of the coming ${facts.type === 'PMR' ? 'order' : 'charge'} for term ${facts.term}`;
    case 'renewal_failed':
      return `mail about the ${facts.isLast ? 'last ' : ''}failed charge for term ${facts.term}`;
    case 'renewal_order':
      return `mail asking to pay for term ${facts.term}`;
    case 'subscription_cancelled':
      return 'confirmation of the cancellation';
    case 'subscription_restored':
      return 'mail about the restored subscription';
    case 'subscription_expired':
      return 'mail about the end of the subscription';
    case 'order_reminder':
      return `payment reminder no. ${facts.number}`;
    case undefined:
      return names[kind] ?? kind;
  }
}

function entriesOf(mail: MailOfOrder): readonly TimelineEntry[] {
  const common = { source, traceId: traceIdOf(mail.traceparent), objectId: '' };
  const name = nameOf(mail);
  const queued = { ...common, at: mail.createdAt, type: 'mail_queued', summary: `The ${name} was queued.` };
  if (mail.status === 'failed_permanently') {
    return [
      queued,
      { ...common, at: mail.settledAt, type: 'mail_failed', summary: `The ${name} could not be sent: ${mail.reason}.` },
    ];
  }
  if (mail.status !== 'sent') return [queued];
  return [queued, { ...common, at: mail.settledAt, type: 'mail_sent', summary: `The mail server took the ${name}.` }];
}

function awaitedOf(mail: MailOfOrder): readonly Awaited[] {
  if (mail.status !== 'pending') return [];
  const name = nameOf(mail);
  if (mail.reason === '') return [{ source, type: 'mail', summary: `The ${name} is being sent.`, until: undefined }];
  return [
    {
      source,
      type: 'mail_server',
      summary: `The mail server to take the ${name} (${mail.reason}).`,
      until: mail.dueAt,
    },
  ];
}
