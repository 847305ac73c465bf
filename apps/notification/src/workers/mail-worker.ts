/**
 * Sends mails: asks once for a batch what its mails say, and hands each to the mail server. A mail server that is away
 * delays mail and nothing else.
 */
import type { LeasedJob, Outcome as JobOutcome } from '@tillstream/jobs/kind';
import type { JobHandler, RunOne } from '@tillstream/jobs/worker';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { Refused } from '@tillstream/rpc/refusals';
import { counter } from '@tillstream/telemetry/metrics';
import { probe } from '@tillstream/telemetry/probe';
import { inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { messageIdOf, type Outcome } from '../domain/mail.ts';
import type { DueMail, MailRow, Written } from '../ports.ts';

export interface MailWorkerOptions<Letter> {
  /** Answers what a mail of the batch says. Throws when a service does not answer. */
  readonly readContent: (
    mails: readonly DueMail[],
    nowOf: (merchantId: string) => Date,
  ) => Promise<(mail: DueMail) => Written<Letter>>;
  /** Never throws. */
  readonly send: (messageId: string, letter: Letter) => Promise<Outcome>;
  readonly messageIdDomain: string;
  readonly clock: Clock;
  readonly log: Log;
}

type MailJob = LeasedJob<object, MailRow>;

const tries = counter('tillstream.mails', 'Tries to send a mail, by kind and outcome');
const notAvailable = 'contents_not_available';

export function mailHandler<Letter>(options: MailWorkerOptions<Letter>): JobHandler<object, MailRow> {
  return {
    async prepare(jobs): Promise<RunOne<object, MailRow>> {
      const written = await readEach(options, jobs);
      return async (job) => {
        const outcome = await sendOne(options, job, written.get(job.jobId) ?? unknown);
        if (outcome.type === 'sent') probe('mail accepted');
        logTry(options, job, outcome);
        return toJobOutcome(outcome);
      };
    },
  };
}

const unknown = { outcome: { type: 'refused_for_now', reason: notAvailable } } as const;
const away = { outcome: { type: 'outage', reason: notAvailable } } as const;

/** One mail whose content cannot be had does not hold up the others. */
async function readEach<Letter>(
  options: MailWorkerOptions<Letter>,
  jobs: readonly MailJob[],
): Promise<ReadonlyMap<string, Written<Letter>>> {
  const read = async (some: readonly MailJob[]): Promise<readonly [string, Written<Letter>][]> => {
    const mails = some.map((job): DueMail => ({ ...job.details, tries: job.tries }));
    const write = await options.readContent(mails, (merchantId) => options.clock.now(merchantId));
    return mails.map((mail) => [mail.id, write(mail)]);
  };
  try {
    return new Map(await read(jobs));
  } catch (error) {
    if (isAway(error)) return new Map(jobs.map((job) => [job.jobId, away]));
  }
  const each = await Promise.all(
    jobs.map(async (job): Promise<readonly [string, Written<Letter>][]> => {
      try {
        return await read([job]);
      } catch (error) {
        if (isAway(error)) return [[job.jobId, away]];
        options.log.error({ err: error, mail: job.jobId, subject: job.subject }, 'a mail cannot be written');
        return [[job.jobId, unknown]];
      }
    }),
  );
  return new Map(each.flat());
}

function isAway(error: unknown): boolean {
  return error instanceof Refused && error.code === 'unavailable';
}

function sendOne<Letter>(options: MailWorkerOptions<Letter>, job: MailJob, written: Written<Letter>): Promise<Outcome> {
  if ('outcome' in written) return Promise.resolve(written.outcome);
  const { kind, about } = job.details;
  // The trace of the customer's click ends here, however much later that is.
  return inSpan(
    'send mail',
    {
      kind: 'client',
      parent: job.traceparent,
      attributes: { 'tillstream.mail.kind': kind, 'tillstream.attempt': job.tries + 1 },
    },
    async (span) => {
      const outcome = await options.send(messageIdOf(kind, about, options.messageIdDomain), written.letter);
      span.setAttribute('tillstream.outcome', outcome.type);
      return outcome;
    },
  );
}

function toJobOutcome(outcome: Outcome): JobOutcome {
  switch (outcome.type) {
    case 'sent':
      return { type: 'done' };
    case 'not_wanted':
      return { type: 'not_wanted', because: outcome.reason };
    case 'refused_for_now':
      return { type: 'retry', because: outcome.reason };
    case 'refused_for_good':
      return { type: 'dead', because: outcome.reason };
    case 'outage':
      return { type: 'away', because: outcome.reason };
  }
}

function logTry(options: { readonly log: Log }, job: MailJob, outcome: Outcome): void {
  const { kind, about } = job.details;
  tries.add(1, { kind, outcome: outcome.type });
  if (outcome.type === 'outage') return;
  options.log.info(
    {
      mail: job.jobId,
      kind,
      about,
      merchant_id: job.merchantId,
      answer: outcome.type,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
      attempts: job.tries + 1,
      trace_id: traceIdOf(job.traceparent),
    },
    'mail',
  );
}
