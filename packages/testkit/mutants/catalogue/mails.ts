/** Bugs of mail. */
import { patch, type Mutant } from '../mutant.ts';

const rows = 'apps/notification/src/outbound/mails.ts';
const leases = 'packages/jobs/src/leases.ts';
const worker = 'packages/jobs/src/worker.ts';
const settlement = 'packages/jobs/src/settlement.ts';

export const mails: readonly Mutant[] = [
  {
    id: 'mail-marked-before-sent',
    sentence:
      'A mail is marked as sent and then handed to the mail server: a crash, or a server that is away, loses it.',
    museum: 'C.3 mark-sent before send',
    caughtBy: 'at least one mail for each order and kind',
    hint: 'outside',
    patches: [
      patch(
        worker,
        '      for (let left = jobs; left.length > 0;) {\n',
        "      await this.#leases.settle(jobs.map((job) => ({ job, outcome: { type: 'done' } })));\n      for (let left = jobs; left.length > 0;) {\n",
      ),
    ],
  },
  {
    id: 'mail-being-sent-is-forgotten',
    sentence: 'A mail that was being sent when the process died is taken up by nobody.',
    museum: 'polar #13272',
    caughtBy: 'at least one mail for each order and kind',
    hint: 'outside',
    patches: [
      patch(
        leases,
        'const isFree = sql`(leased_until is null or leased_until <= now())`;',
        'const isFree = sql`(leased_until is null)`;',
      ),
    ],
  },
  {
    id: 'mails-are-queued-twice',
    sentence: 'Each telling of an event queues its mails once more.',
    museum: 'C.3 no inbox',
    caughtBy: 'mails are at most one more than crashes',
    hint: 'again',
    patches: [
      patch(
        rows,
        'subject: `${mail.kind} ${mail.about}`,',
        'subject: `${mail.kind} ${mail.about}#${crypto.randomUUID().slice(0, 4)}`,',
      ),
    ],
  },
  {
    id: 'outage-gives-mails-up',
    sentence: 'A mail server that is away is taken for one that says no.',
    museum: '',
    caughtBy: 'at least one mail for each order and kind',
    hint: 'outside',
    patches: [patch(settlement, 'if (tried.wallAgeMs >= giveUpMs)', "if (outcome.because !== '')")],
  },
];
