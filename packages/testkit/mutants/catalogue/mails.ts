/** Bugs of mail. */
import { patch, type Mutant } from '../mutant.ts';

const rows = 'apps/notification/src/outbound/mails.ts';
const postman = 'apps/notification/src/outbound/postman.ts';

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
        postman,
        '    const results = await Promise.all(\n',
        "    await parts.mails.settle(lease, group.map((mail) => settled(parts, mail, { type: 'sent' })));\n    const results = await Promise.all(\n",
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
        rows,
        "const isFree = sql`status in ('pending', 'sending') and",
        "const isFree = sql`status in ('pending') and",
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
        '${mails.map((mail) => mail.about)}::text[],',
        '${mails.map((mail) => `${mail.about}#${crypto.randomUUID().slice(0, 4)}`)}::text[],',
      ),
    ],
  },
  {
    id: 'outage-gives-mails-up',
    sentence: 'A mail server that is away is taken for one that says no.',
    museum: '',
    caughtBy: 'at least one mail for each order and kind',
    hint: 'outside',
    patches: [
      patch(
        'apps/notification/src/domain/mail.ts',
        '      if (tried.wallAgeMs >= policy.giveUpMs) return',
        "      if (outcome.reason !== '') return",
      ),
    ],
  },
];
