/** Bugs of the border between merchants, and of what their programs are answered. */
import { patch, type Mutant } from '../mutant.ts';

const answers = 'apps/gateway/src/outbound/answers.ts';

export const tenants: readonly Mutant[] = [
  {
    id: 'said-in-the-name-of-the-first',
    sentence: 'What a batch announces carries the merchant of its first message.',
    museum: '',
    caughtBy: 'every row has its tenant, and names nothing that belongs to another',
    hint: 'neighbours',
    patches: [
      patch(
        'packages/messaging/src/once.ts',
        'messages.map((each) => JSON.stringify(each.headers))',
        'messages.map((each) => JSON.stringify({ ...each.headers, merchant_id: messages[0]?.headers.merchant_id }))',
      ),
    ],
  },
  {
    id: 'key-answers-anything',
    sentence: 'A key that is known is answered whatever is asked with it.',
    museum: '',
    caughtBy: 'the same key with something else is refused',
    hint: 'programs',
    patches: [
      patch(answers, "      if (!timingSafeEqual(found.request_print, print)) return { is: 'another request' };\n", ''),
    ],
  },
  {
    id: 'key-in-hand-is-taken',
    sentence: 'A key that is worked on is worked on once more, as something new.',
    museum: '',
    caughtBy: 'one key has one answer, and does one thing',
    hint: 'programs',
    patches: [
      patch(answers, "      if (found.is_locked) return { is: 'in flight' };\n", ''),
      patch(answers, 'requestId: found.request_id, fence }', 'requestId: randomUUIDv7(), fence }'),
    ],
  },
];
