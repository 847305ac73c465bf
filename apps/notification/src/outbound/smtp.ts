/** One mail to one server: SMTP's many ways to say no become four outcomes. */
import { createTransport, type SendMailOptions } from 'nodemailer';
import { probe } from '@tillstream/telemetry/probe';
import type { Outcome } from '../domain/mail.ts';
import type { Letter } from './letters/letter.ts';

export interface Smtp {
  /** Never throws. */
  send(messageId: string, letter: Letter): Promise<Outcome>;
  close(): void;
}

/** What carries a mail to the server; it throws as nodemailer does. */
export interface Transport {
  sendMail(mail: SendMailOptions): Promise<unknown>;
  close(): void;
}

// RFC 5321 would allow minutes; a server that needs them gets the mail again.
const deadlineMs = 30_000;
export const connections = 5;

function openTransport(url: string): Transport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    // Servers like a fresh connection now and then.
    maxMessages: 100,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: deadlineMs,
    // Nothing in a letter may name a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // A broken connection is told to the mail that used it; nobody else needs to know.
  transport.on('error', () => undefined);
  return transport;
}

export function openSmtp(options: { url: string; from: string; openTransport?: () => Transport }): Smtp {
  const transport = options.openTransport?.() ?? openTransport(options.url);
  return {
    async send(messageId, letter) {
      const sending = transport.sendMail({
        messageId,
        from: { name: letter.fromName, address: options.from },
        // As an object, so that no address can become two.
        to: { name: '', address: letter.to },
        ...(letter.replyTo === '' ? {} : { replyTo: { name: letter.fromName, address: letter.replyTo } }),
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
        headers: {
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          'Content-Language': letter.language,
        },
      });
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(Object.assign(new Error('deadline'), { code: 'ETIMEDOUT' })), deadlineMs);
      });
      try {
        probe('call sent');
        await Promise.race([sending, deadline]);
        probe('call answered');
        return { type: 'sent' };
      } catch (error) {
        return outcomeOf(error);
      } finally {
        clearTimeout(timer);
        sending.catch(() => undefined);
      }
    },
    close: () => transport.close(),
  };
}

/** By what nodemailer says of the dialogue: the code of the server's answer and the command that it answers. */
export function outcomeOf(error: unknown): Outcome {
  const { responseCode, command, code } = readError(error);
  const isAboutMessage = command === 'RCPT TO' || command === 'DATA';
  if (isAboutMessage && responseCode >= 500) {
    return { type: 'refused_for_good', reason: command === 'DATA' ? 'message_refused' : 'recipient_refused' };
  }
  // 421 is "I am closing": about the server, wherever it comes.
  if (isAboutMessage && responseCode >= 400 && responseCode !== 421)
    return { type: 'refused_for_now', reason: 'mail_server_refuses_for_now' };
  // Without the server: the address cannot be written into the dialogue at all.
  if (code === 'EENVELOPE' && command === 'API') return { type: 'refused_for_good', reason: 'address_not_valid' };
  // Wrong password, sender not allowed: for somebody to repair, and not the mail's fault.
  if (responseCode >= 500) return { type: 'outage', reason: 'mail_server_refuses_us' };
  return { type: 'outage', reason: 'mail_server_away' };
}

function readError(error: unknown): { responseCode: number; command: string; code: string } {
  if (typeof error !== 'object' || error === null) return { responseCode: 0, command: '', code: '' };
  return {
    responseCode: 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0,
    command: 'command' in error ? String(error.command) : '',
    code: 'code' in error ? String(error.code) : '',
  };
}
