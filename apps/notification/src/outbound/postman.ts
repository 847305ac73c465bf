/**
 * Takes due mails under a lease, asks what they say, hands them to the mail server and marks what came of it. A mail
 * server that is away delays mail and nothing else: what was taken is put back, and the loop waits.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { startLoop } from '@tillstream/messaging/loop';
import { onWake } from '@tillstream/messaging/wake';
import { Refused } from '@tillstream/rpc/refusals';
import type { Worker } from '@tillstream/service/app';
import { counter, gauge } from '@tillstream/telemetry/metrics';
import { inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { probe } from '@tillstream/telemetry/probe';
import { messageIdOf, settle, type Outcome, type RetryPolicy } from '../domain/mail.ts';
import { gatherContent, type ContentClients } from './content.ts';
import type { Mails, SettledMail, TakenMail } from './mails.ts';
import { connections, type Smtp } from './smtp.ts';
import type { NotificationTables } from './tables.ts';
import type { Written } from './writing.ts';

export interface PostmanParts {
  readonly database: Database<NotificationTables>;
  readonly mails: Mails;
  readonly clock: Clock;
  readonly clients: ContentClients;
  readonly openSmtp: () => Smtp;
  readonly messageIdDomain: string;
  readonly policy: RetryPolicy;
  readonly log: Log;
}

const batch = 40;
// A crash delays what was being sent by this much. A slow mail server takes longer: then the lease is renewed.
const leaseMs = 15_000;
// A mail that another process queued, or that is due again, waits at most this long.
const idleMs = 1_000;
const tries = counter('tillstream.mails', 'Tries to send a mail, by kind and outcome');

/** Said to the loop, which then waits longer and longer; nothing is wrong with the mails. */
class Outage extends Error {
  override readonly name = 'Outage';
}

export function postman(parts: PostmanParts): Worker {
  return {
    name: 'postman',
    async run(signal) {
      const smtp = parts.openSmtp();
      const forget = [
        gauge(
          'tillstream.mails.waiting',
          'Mails that are not sent yet',
          async () => (await parts.mails.figures()).waiting,
        ),
        gauge(
          'tillstream.mails.oldest_age',
          'Milliseconds that the oldest of them has waited',
          async () => (await parts.mails.figures()).oldestMs,
        ),
      ];
      const loop = startLoop({
        name: 'postman',
        turn: () => turn(parts, smtp, signal),
        idleMs,
        log: parts.log,
        onWake: (listener) => onWake(parts.database, listener),
      });
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await loop.stop();
      for (const each of forget) each();
      smtp.close();
    },
  };
}

async function turn(parts: PostmanParts, smtp: Smtp, signal: AbortSignal): Promise<boolean> {
  const lease = randomUUID();
  const taken = await parts.mails.take(lease, batch, leaseMs);
  if (taken.length === 0) return false;
  probe('job leased');
  const renewal = setInterval(() => renew(parts, lease, taken), leaseMs / 3);
  try {
    await carryAll(parts, smtp, { lease, taken }, signal);
  } finally {
    clearInterval(renewal);
  }
  return taken.length >= batch && !signal.aborted;
}

/** A lease that is lost all the same costs a mail that comes twice, with the same Message-ID. */
function renew(parts: PostmanParts, lease: string, taken: readonly TakenMail[]): void {
  parts.mails
    .renew(lease, taken, leaseMs)
    .catch((error: unknown) => parts.log.warn({ err: error }, 'the lease of mails was not renewed'));
}

interface Bag {
  readonly lease: string;
  readonly taken: readonly TakenMail[];
}

/** Throws an Outage when the mail server or a service is away; the rest is then put back. */
async function carryAll(parts: PostmanParts, smtp: Smtp, { lease, taken }: Bag, signal: AbortSignal): Promise<void> {
  let outage: Outcome | undefined;
  const written = await gather(parts, taken).catch((): ((mail: TakenMail) => Written) => {
    const outcome: Outcome = { type: 'outage', reason: 'contents_not_available' };
    outage = outcome;
    return () => ({ outcome });
  });
  for (let at = 0; at < taken.length; at += connections) {
    const group = taken.slice(at, at + connections);
    // After an outage, and when this process ends, the rest is put back untried.
    const instead: Outcome | undefined = outage ?? (signal.aborted ? { type: 'outage', reason: '' } : undefined);
    const results = await Promise.all(
      group.map(async (mail) => ({ mail, outcome: instead ?? (await carry(parts, smtp, mail, written(mail))) })),
    );
    if (results.some(({ outcome }) => outcome.type === 'sent')) probe('mail accepted');
    // A crash here sends what the server has taken once more, at most five mails, with the same Message-IDs.
    await parts.mails.settle(
      lease,
      results.map(({ mail, outcome }) => settled(parts, mail, outcome)),
    );
    outage ??= results.find(({ outcome }) => outcome.type === 'outage' && outcome.reason !== '')?.outcome;
  }
  if (outage !== undefined && 'reason' in outage) throw new Outage(outage.reason);
}

/** Throws when a service is away. One mail whose content cannot be had does not hold up the others. */
async function gather(parts: PostmanParts, taken: readonly TakenMail[]): Promise<(mail: TakenMail) => Written> {
  const ask = async (mails: readonly TakenMail[]): Promise<(mail: TakenMail) => Written> => {
    const write = await gatherContent(parts.clients, mails, (merchantId) => parts.clock.now(merchantId));
    const known = new Map(mails.map((mail) => [mail.id, write(mail)]));
    return (mail) => known.get(mail.id) ?? unknown;
  };
  const unknown: Written = { outcome: { type: 'refused_for_now', reason: 'contents_not_available' } };
  try {
    return await ask(taken);
  } catch (error) {
    if (isAway(error)) throw error;
  }
  const each = await Promise.all(
    taken.map(async (mail): Promise<[string, Written]> => {
      try {
        return [mail.id, (await ask([mail]))(mail)];
      } catch (error) {
        if (isAway(error)) throw error;
        parts.log.error({ err: error, mail: mail.id, kind: mail.kind, about: mail.about }, 'a mail cannot be written');
        return [mail.id, unknown];
      }
    }),
  );
  const known = new Map(each);
  return (mail) => known.get(mail.id) ?? unknown;
}

function isAway(error: unknown): boolean {
  return error instanceof Refused && error.code === 'unavailable';
}

function carry(parts: PostmanParts, smtp: Smtp, mail: TakenMail, written: Written): Promise<Outcome> {
  if ('outcome' in written) return Promise.resolve(written.outcome);
  // The trace of the customer's click ends here, however much later that is.
  return inSpan(
    'send mail',
    {
      kind: 'client',
      parent: mail.traceparent,
      attributes: { 'tillstream.mail.kind': mail.kind, 'tillstream.attempt': mail.attempts + 1 },
    },
    async (span) => {
      const outcome = await smtp.send(messageIdOf(mail.kind, mail.about, parts.messageIdDomain), written.letter);
      span.setAttribute('tillstream.outcome', outcome.type);
      return outcome;
    },
  );
}

function settled(parts: PostmanParts, mail: TakenMail, outcome: Outcome): SettledMail {
  const tried = { attempts: mail.attempts, ageMs: mail.age_ms, wallAgeMs: mail.wall_age_ms };
  const next = settle(outcome, tried, parts.policy, Math.random());
  tries.add(1, { kind: mail.kind, outcome: outcome.type });
  const fields = {
    mail: mail.id,
    kind: mail.kind,
    about: mail.about,
    merchant_id: mail.merchant_id,
    answer: outcome.type,
    status: next.status,
    ...(next.reason === '' ? {} : { reason: next.reason }),
    attempts: next.attempts,
    trace_id: traceIdOf(mail.traceparent),
  };
  if (next.status === 'failed_permanently') parts.log.warn(fields, 'a mail is given up');
  else if (outcome.type !== 'outage') parts.log.info(fields, 'mail');
  return { mail, settled: next };
}
