/** The mail server: takes mails, refuses some for now, and sometimes its answer gets lost. */
import type { Transport } from '@tillstream/notification/app';
import type { FaultKind } from '../engine/faults.ts';
import type { Scheduler } from '../engine/scheduler.ts';

export interface ReceivedMail {
  readonly messageId: string;
  readonly to: string;
  readonly text: string;
}

const faults: readonly FaultKind[] = ['lost before', 'lost after', 'refused'];

export class MailServer {
  readonly received: ReceivedMail[] = [];
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  openTransport(): Transport {
    return {
      sendMail: (mail) =>
        this.#scheduler.point({
          label: 'send mail',
          faults,
          act: () => {
            const to = typeof mail.to === 'object' && 'address' in mail.to ? (mail.to.address ?? '') : '';
            this.received.push({
              messageId: mail.messageId ?? '',
              to,
              text: typeof mail.text === 'string' ? mail.text : '',
            });
          },
          fail: (fault) =>
            fault === 'refused'
              ? Object.assign(new Error('not now'), { responseCode: 451, command: 'DATA' })
              : Object.assign(new Error('connection lost'), { code: 'ECONNRESET' }),
        }),
      close: () => undefined,
    };
  }
}
