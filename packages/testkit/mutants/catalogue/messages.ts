/** Bugs of moving messages: inbox, outbox, relay, consumer, batches, timers. */
import { patch, type Mutant } from '../mutant.ts';

const relay = 'packages/messaging/src/relay.ts';
const perform = 'packages/messaging/src/perform.ts';
const consumer = 'packages/messaging/src/consumer.ts';
const timers = 'packages/messaging/src/timers.ts';

export const messages: readonly Mutant[] = [
  {
    id: 'inbox-of-its-own',
    sentence:
      'What was handled is noted in a transaction of its own: when the handling fails after that, the message passes for handled.',
    museum: 'C.3 inbox outside of the transaction',
    caughtBy: 'no message is skipped',
    hint: 'broken',
    patches: [
      patch(
        perform,
        'const deduplicating = firstSight(tx, name, messageIds);',
        "const deduplicating = parts.database.untyped('the inbox is noted', (own) => firstSight(own, name, messageIds));",
      ),
    ],
  },
  {
    id: 'acknowledged-before-handled',
    sentence: 'A batch is acknowledged when it is taken: a crash while it is handled loses it.',
    museum: 'C.3 ack before handling (auto-commit)',
    caughtBy: 'no message is skipped',
    hint: 'again',
    patches: [
      patch(
        consumer,
        'await carrier.subscribe({ ...subscription, handle, ',
        'await carrier.subscribe({ ...subscription, handle: async (batch) => void handle(batch).catch(() => undefined), ',
      ),
    ],
  },
  {
    id: 'marked-before-sent',
    sentence: 'The relay marks messages as sent and then sends them: a crash in between loses them.',
    museum: 'C.3 mark-sent before send',
    caughtBy: 'every committed message is sent',
    hint: 'edges',
    patches: [
      patch(
        relay,
        '    carrierAnswers = false;\n',
        '    carrierAnswers = false;\n    await connection.query({ ...markAndFind, values: [rows.map((row) => row.id)] });\n',
      ),
    ],
  },
  {
    id: 'high-water-mark',
    sentence:
      'The relay asks for what is above the last that was sent: what commits late under a smaller number is lost.',
    museum: 'MUS-11',
    caughtBy: 'every committed message is sent',
    hint: 'crowd',
    patches: [
      patch(
        relay,
        'where sent_at is null and id <> all ($1::bigint[]) order by id limit',
        'where sent_at is null and id <> all ($1::bigint[]) and id > (select coalesce(max(o.id), 0) from outbox o where o.sent_at is not null) order by id limit',
      ),
    ],
  },
  {
    id: 'marked-up-to-the-last',
    sentence:
      'The relay marks everything up to the last that it sent, also what committed in between and was not sent.',
    museum: 'MUS-11',
    caughtBy: 'every committed message is sent',
    hint: 'crowd',
    patches: [
      patch(
        relay,
        '    sent = rows.map((row) => row.id);\n',
        "    sent = rows.map((row) => row.id);\n    await connection.query('update outbox set sent_at = now() where sent_at is null and id <= $1', [rows.at(-1)?.id]);\n",
      ),
    ],
  },
  {
    id: 'dual-write',
    sentence: 'What happened is committed, and announced in a transaction of its own: a crash in between tells nobody.',
    museum: 'medusa #6016, vendure #2735',
    caughtBy: 'every event of a history is announced',
    hint: 'edges',
    patches: [
      patch(
        perform,
        "const uniqueViolation = '23505';",
        "const uniqueViolation = '23505';\nconst later: ((tx: Kysely<object>) => Promise<void>)[] = [];",
      ),
      patch(perform, '    announce(\n      tx,\n', '    later.push((own) => announce(\n      own,\n'),
      patch(perform, '    ),\n    schedule(tx, timers),\n', '    )),\n    schedule(tx, timers),\n'),
      patch(
        perform,
        '    wake(parts.database, hasDue);\n',
        "    for (const say of later.splice(0)) await parts.database.untyped('what happened is announced', say);\n    wake(parts.database, hasDue);\n",
      ),
    ],
  },
  {
    id: 'batch-decides-stale',
    sentence: 'Two commands of one aggregate in a batch are decided on the same state: the first is forgotten.',
    museum: 'vendure #3398',
    caughtBy: 'no message is skipped',
    patches: [patch(perform, 'drafts.get(envelope.id) ?? draftOf(envelope,', 'draftOf(envelope,')],
  },
  {
    id: 'swallowed-after-failure',
    sentence: 'A batch that could not be handled is logged and forgotten.',
    museum: 'hyperswitch #3408',
    caughtBy: 'no message is skipped',
    hint: 'broken',
    patches: [
      patch(
        consumer,
        '  const failing: IncomingMessage[][] = [];\n',
        '  if (!signal.aborted) return;\n  const failing: IncomingMessage[][] = [];\n',
      ),
    ],
  },
  {
    id: 'timers-forgotten-first',
    sentence: 'Timers are removed and then fired: a crash in between lets a renewal, a reminder or an end never come.',
    museum: '',
    caughtBy: 'nothing due is left; all comes to rest',
    hint: 'edges',
    patches: [
      patch(
        timers,
        '      const fired = await fireAll(handler, mine, log);\n',
        '      await forget(database, mine, travellers);\n      const fired = await fireAll(handler, mine, log);\n',
      ),
    ],
  },
  {
    id: 'timers-of-travellers-by-the-wall',
    sentence: 'What is due of a merchant who is ahead of the wall is looked for by the wall: it comes a year late.',
    museum: '',
    caughtBy: 'nothing due is left; all comes to rest',
    hint: 'charges',
    patches: [
      patch(timers, '(traveller.merchant_id, merchant_now(traveller.merchant_id))', '(traveller.merchant_id, now())'),
    ],
  },
];
