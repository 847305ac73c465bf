/** A sender that broke off in the middle of a mail stopped the listener's worker, which then found its own port taken, for ever. */
import { connect } from 'node:net';
import { freePort } from '@tillstream/testkit/ports';
import { expect, test } from 'vitest';
import { mailboxApp } from '../src/app.ts';

/** Says each line when the one before is answered; answers the last answer, or '' when the sender breaks off after its last line. */
function speak(port: number, lines: readonly string[], breaksOff = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const left = [...lines];
    socket.on('error', () => resolve('refused'));
    socket.on('data', (chunk: Buffer) => {
      const line = left.shift();
      if (line !== undefined) return void socket.write(`${line}\r\n`);
      if (breaksOff) socket.resetAndDestroy();
      else socket.destroy();
      resolve(breaksOff ? '' : chunk.toString());
    });
  });
}

test('a sender that breaks off in the middle of a mail stops nothing', async () => {
  const port = await freePort();
  const stopping = new AbortController();
  const app = mailboxApp({ config: { SMTP_PORT: port, SMTP_HOST: '127.0.0.1', MAILBOX_FILE: undefined } });
  const ended = app.workers[0]?.run(stopping.signal).then(
    () => 'in order',
    (error: unknown) => String(error),
  );
  await speak(port, ['EHLO there', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>'], true);
  const whole = [
    'EHLO there',
    'MAIL FROM:<a@example.com>',
    'RCPT TO:<b@example.com>',
    'DATA',
    'Subject: x\r\n\r\nx\r\n.',
  ];
  expect(await speak(port, whole)).toMatch(/^250 /);
  stopping.abort();
  expect(await ended).toBe('in order');
});
