import { expect, test } from 'vitest';
import { outcomeOf } from './smtp.ts';

const answer = (command: string, responseCode: number, code = 'EENVELOPE') =>
  Object.assign(new Error('as the server said'), { command, responseCode, code });

test.each([
  ['RCPT TO', 550, 'refused_for_good', 'recipient_refused'],
  ['RCPT TO', 450, 'refused_for_now', 'mail_server_refuses_for_now'],
  ['DATA', 554, 'refused_for_good', 'message_refused'],
  ['DATA', 452, 'refused_for_now', 'mail_server_refuses_for_now'],
  // "I am closing" is about the server, wherever it comes.
  ['DATA', 421, 'outage', 'mail_server_away'],
  // For the operator to repair: no customer loses a mail by it.
  ['MAIL FROM', 550, 'outage', 'mail_server_refuses_us'],
  ['AUTH PLAIN', 535, 'outage', 'mail_server_refuses_us'],
])('%s answered with %i is %s', (command, responseCode, type, reason) => {
  expect(outcomeOf(answer(command, responseCode))).toEqual({ type, reason });
});

test('what never reached a server says nothing about the mail, unless its address cannot be one', () => {
  expect(outcomeOf(Object.assign(new Error('refused'), { code: 'ECONNREFUSED', command: 'CONN' }))).toMatchObject({
    type: 'outage',
  });
  expect(outcomeOf('a string')).toMatchObject({ type: 'outage' });
  expect(outcomeOf(Object.assign(new Error('bad'), { code: 'EENVELOPE', command: 'API' }))).toEqual({
    type: 'refused_for_good',
    reason: 'address_not_valid',
  });
});
