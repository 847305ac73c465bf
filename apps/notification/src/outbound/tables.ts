import type { MailRow } from '../ports.ts';

export interface NotificationTables {
  mail: MailRow;
}
