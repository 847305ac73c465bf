/** Bugs of payments: keys, outcomes that are not known, providers that are asked too little, callbacks out of order. */
import { patch, type Mutant } from '../mutant.ts';

const machine = 'apps/payment/src/domain/payment.ts';
const calls = 'apps/payment/src/inbound/provider-calls.ts';
const connector = 'apps/payment/src/outbound/providers/sandbox/connector.ts';
const attempts = 'apps/payment/src/outbound/attempts.ts';
const app = 'apps/payment/src/app.ts';

export const payments: readonly Mutant[] = [
  {
    id: 'charge-key-per-try',
    sentence: 'Each try of a charge has a key of its own: an answer that was lost is charged again.',
    museum: 'MUS-1 (medusa #16292)',
    caughtBy: 'one provider payment for one payment; books = provider',
    hint: 'charges',
    patches: [patch('apps/payment/src/inbound/charges.ts', 'key: attemptId,', 'key: `${attemptId}-${tries}`,')],
  },
  {
    id: 'page-key-per-try',
    sentence: 'Each try to open a page has a key of its own: the provider has two payable pages for one payment.',
    museum: 'MUS-1',
    caughtBy: 'one provider payment for one payment',
    hint: 'pages',
    patches: [patch(calls, 'key: attempt.attemptId,', 'key: `${attempt.attemptId}-${attempt.tries}`,')],
  },
  {
    id: 'attempt-made-anew',
    sentence: 'After an error the attempt is made anew, with another id: its key is another one, too.',
    museum: 'MUS-1 (medusa #16681)',
    caughtBy: 'one provider payment for one payment',
    hint: 'pages',
    patches: [
      patch(
        attempts,
        "      state = case when is_late then 'unknown' else t.state end,",
        "      attempt_id = case when t.state = 'unknown' then ${crypto.randomUUID()}::uuid else attempt.attempt_id end, state = case when is_late then 'unknown' else t.state end,",
      ),
    ],
  },
  {
    id: 'time-out-is-declined',
    sentence: 'A charge without an answer counts as declined, though the provider has taken the money.',
    museum: 'C.3 time-out = failed',
    caughtBy: 'books = provider',
    hint: 'charges',
    patches: [
      patch(
        connector,
        "      } catch (error) {\n        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };",
        "      } catch {\n        return { outcome: 'declined', code: 'timeout', description: '' };",
      ),
    ],
  },
  {
    id: 'page-time-out-is-declined',
    sentence: 'A page that the provider did not answer for counts as declined, and stays payable there.',
    museum: 'C.3 time-out = failed',
    caughtBy: 'no provider payment is open for a payment that has ended',
    hint: 'pages',
    patches: [
      patch(
        connector,
        "        // Also an answer that cannot be read: the provider may have acted on the request.\n        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };",
        "        return { outcome: 'declined', code: 'timeout', description: String(error) };",
      ),
    ],
  },
  {
    id: 'closed-page-is-news-to-nobody',
    sentence:
      'That a page was closed is not written down when the provider says it: customers are led there for half an hour.',
    museum: 'our own, found by the torture run of 22 November 2026',
    caughtBy: 'no payment is open here and over at the provider',
    hint: 'pages',
    patches: [
      patch(
        'apps/payment/src/domain/provider-report.ts',
        "      return { type: 'recordClosed', at, closedPage: providerPaymentId };",
        '      return undefined;',
      ),
    ],
  },
  {
    id: 'server-error-is-declined',
    sentence: 'An error of the provider counts as its "no".',
    museum: 'hyperswitch #3675',
    caughtBy: 'books = provider; no provider payment is open for a payment that has ended',
    hint: 'pages',
    patches: [patch(connector, 'status >= 500 || [408, 409, 429]', '[408, 409, 429]')],
  },
  {
    id: 'unknown-charge-is-forgotten',
    sentence: 'Nobody asks again what became of a charge that had no answer.',
    museum: "C.3 no janitor (Kill Bill's)",
    caughtBy: 'nothing unknown is left',
    hint: 'charges',
    patches: [patch(attempts, '      await schedule(tx, timers);\n', '      void timers;\n')],
  },
  {
    id: 'unknown-page-is-forgotten',
    sentence: 'A page that the provider did not answer for is never asked for again.',
    museum: 'C.3 no janitor',
    caughtBy: 'nothing unknown is left',
    hint: 'pages',
    patches: [
      patch(
        attempts,
        "state: 'unknown', dueAt: dueAt ?? null, settledAt: null });",
        "state: 'unknown', dueAt: dueAt === undefined ? dueAt ?? null : null, settledAt: null });",
      ),
    ],
  },
  {
    id: 'no-worker-for-pages',
    sentence: 'What a crash left between the intention and the call of the provider is taken up by nobody.',
    museum: 'C.3 no write-ahead (the row without its worker)',
    caughtBy: 'nothing is intended for ever',
    hint: 'pages',
    patches: [
      patch(
        app,
        "repeat('open pages', 2_000, () => calls.open(), whenClockSet),",
        "repeat('open pages', 2_000, async () => 0, whenClockSet),",
      ),
    ],
  },
  {
    id: 'no-worker-for-callbacks',
    sentence: 'A callback that was kept and not applied, because of a crash, is never applied.',
    museum: 'MUS-6',
    caughtBy: 'no callback waits for ever',
    hint: 'outside',
    patches: [
      patch(
        app,
        "repeat('apply callbacks', 2_000, () => callbacks.applyDue()),",
        "repeat('apply callbacks', 2_000, async () => 0),",
      ),
    ],
  },
  {
    id: 'seen-after-the-end',
    sentence: '"The customer has opened the page", told late, makes a payment that has ended open again.',
    museum: 'hyperswitch #9926',
    caughtBy: 'every history is a path of its table; final stays final',
    hint: 'pages',
    patches: [
      patch(
        machine,
        "return state.status === 'created' ? accept({ type: 'paymentSeen' })",
        "return state.status !== 'seen' ? accept({ type: 'paymentSeen' })",
      ),
    ],
  },
  {
    id: 'submitted-after-the-end',
    sentence: '"The customer has submitted the card", told late, makes a payment that has ended process again.',
    museum: 'polar #13325',
    caughtBy: 'every history is a path of its table; final stays final',
    hint: 'pages',
    patches: [
      patch(
        machine,
        "return isOpen(state) ? accept({ type: 'paymentProcessing' })",
        "return state.status !== 'processing' ? accept({ type: 'paymentProcessing' })",
      ),
    ],
  },
  {
    id: 'ends-without-asking',
    sentence: 'A payment expires or is withdrawn without a word to the provider, where it can still be paid.',
    museum: 'MUS-9 (autumn #2334)',
    caughtBy: 'books = provider; no provider payment is open for a payment that has ended',
    hint: 'pages',
    patches: [patch(calls, 'if (await provider.withdraw(id)) return id;', 'return id;')],
  },
  {
    id: 'page-without-address-stays',
    sentence: 'A page whose address never arrived is taken to be none, and stays payable after its payment has ended.',
    museum: '',
    caughtBy: 'no provider payment is open for a payment that has ended',
    hint: 'pages',
    patches: [
      patch(
        calls,
        '(await provider.ask?.(payment.payment_id, this.#parts.clock.now(payment.merchant_id)))?.providerPaymentId;',
        'undefined;',
      ),
      patch(calls, '    if (isGivenUp(payment)) return this.#close(attempt);\n', ''),
    ],
  },
  {
    id: 'late-page-stays',
    sentence: 'A page that comes after its attempt was settled without one is believed to be somebody else’s business.',
    museum: 'ours: history 378',
    caughtBy: 'no provider payment is open for a payment that has ended',
    hint: 'pages',
    patches: [
      patch(
        attempts,
        '(is_late or attempt.lease = t.lease and attempt.settled_at is null)',
        'not is_late and attempt.lease = t.lease and attempt.settled_at is null',
      ),
    ],
  },
  {
    id: 'others-stay-open',
    sentence: 'When one attempt has paid the order, the page of another stays open: the customer can pay twice.',
    museum: 'lago PR #5547',
    caughtBy: 'an order that is paid has no open page any more',
    hint: 'any',
    patches: [
      patch(
        'apps/payment/src/outbound/intent-keeper.ts',
        "where p.payment_id <> t.payment_id and p.status in ('created', 'seen')`",
        "where p.payment_id <> t.payment_id and p.status in ('none')`",
      ),
    ],
  },
];
