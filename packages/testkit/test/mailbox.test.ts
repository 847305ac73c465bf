import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMailbox, type Mailbox } from '../src/mailbox.ts';

let mailbox: Mailbox;
beforeEach(async () => {
  mailbox = await startMailbox();
});
afterEach(() => mailbox.stop());

const mail = [
  'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
  'From: shop@example.test',
  'To: ada@example.test',
  'Message-ID: <1@shop>',
  '',
  'Your licence',
  '.',
].join('\r\n');

/** Speaks SMTP and answers the last thing it heard: a reply, or that the connection was closed. */
async function send(): Promise<string> {
  const socket = connect(mailbox.port, '127.0.0.1');
  const words = ['EHLO me', 'MAIL FROM:<bounce@example.test>', 'RCPT TO:<ada@example.test>', 'DATA', mail, 'QUIT'];
  let last = 'closed';
  socket.on('error', () => undefined);
  for await (const line of createInterface({ input: socket })) {
    if (/^\d{3}-/.test(line)) continue;
    const next = words.shift();
    if (next === undefined) break;
    last = next === 'QUIT' ? line : 'closed';
    socket.write(`${next}\r\n`);
  }
  socket.destroy();
  return last;
}

describe('a mailbox', () => {
  it('keeps messages as a mail program reads them, with their envelope', async () => {
    expect(await send()).toMatch(/^250/);
    const got = await mailbox.waitFor((each) => each.messageId === '<1@shop>');
    expect(got).toMatchObject({
      subject: 'Grüße',
      text: 'Your licence\n',
      envelopeFrom: 'bounce@example.test',
      envelopeTo: ['ada@example.test'],
    });
  });

  it('refuses for now, and takes it later', async () => {
    mailbox.refuse(true);
    expect(await send()).toMatch(/^451/);
    mailbox.refuse(false);
    expect(await send()).toMatch(/^250/);
    expect([mailbox.offered(), mailbox.messages().length]).toEqual([2, 1]);
  });

  it('takes a message and breaks the connection before saying so', async () => {
    mailbox.breakAfterNext();
    expect(await send()).toBe('closed');
    expect(mailbox.messages()).toHaveLength(1);
    expect(await send()).toMatch(/^250/);
  });
});
