/** A mail server for tests: real SMTP on loopback, messages parsed as a mail program would. */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { eventually } from './eventually.ts';

export interface ReceivedMail extends Email {
  /** Of the SMTP dialogue, not of the headers. */
  readonly envelopeFrom: string;
  readonly envelopeTo: readonly string[];
  readonly raw: string;
  readonly receivedAt: Date;
}

export interface Mailbox {
  readonly port: number;
  /** smtp://127.0.0.1:{port} */
  readonly url: string;
  /** Oldest first. */
  messages(): readonly ReceivedMail[];
  waitFor(isIt: (mail: ReceivedMail) => boolean, withinMs?: number): Promise<ReceivedMail>;
  /** On: every message is refused for now (451), as a server in trouble does. */
  refuse(on: boolean): void;
  /** How many messages it was offered, refused ones included. */
  offered(): number;
  /** Takes the message and breaks the connection before saying so: the sender cannot know. */
  breakAfterNext(): void;
  stop(): Promise<void>;
}

export async function startMailbox(port = 0): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let [refusing, breaking, offered] = [false, false, 0];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    // A server that goes away does not wait for its clients.
    closeTimeout: 50,
    onData(stream, session, done) {
      void receive(stream, session).then((answer) => setImmediate(answer));
      async function receive(from: Readable, { envelope, remotePort }: SMTPServerSession): Promise<() => void> {
        const raw = Buffer.concat(await from.toArray());
        offered += 1;
        if (refusing) return () => done(Object.assign(new Error('try again later'), { responseCode: 451 }));
        const envelopeFrom = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const envelopeTo = envelope.rcptTo.map((to) => to.address);
        mails.push({
          ...(await PostalMime.parse(raw)),
          envelopeFrom,
          envelopeTo,
          raw: raw.toString('utf8'),
          receivedAt: new Date(),
        });
        if (!breaking) return done;
        breaking = false;
        return () => sockets.forEach((socket) => socket.remotePort === remotePort && socket.destroy());
      }
    },
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  const at = typeof address === 'object' && address !== null ? address.port : port;
  return {
    port: at,
    url: `smtp://127.0.0.1:${at}`,
    messages: () => mails,
    waitFor: (isIt, withinMs) => eventually(() => mails.find(isIt), withinMs),
    refuse: (on) => (refusing = on),
    offered: () => offered,
    breakAfterNext: () => (breaking = true),
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
