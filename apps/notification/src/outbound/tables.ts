import type { MailFacts } from '../domain/facts.ts';
import type { MailKind } from '../domain/mail.ts';

export interface NotificationTables {
  mail: MailRow;
}

export interface MailRow {
  id: string;
  merchant_id: string;
  kind: MailKind;
  about: string;
  order_id: bigint | null;
  item_id: bigint | null;
  product_id: string | null;
  available: number | null;
  low_water_mark: number | null;
  facts: MailFacts | null;
  status: 'pending' | 'sending' | 'sent' | 'not_wanted' | 'failed_permanently';
  due_at: Date;
  lease: string | null;
  leased_until: Date | null;
  away_since: Date | null;
  attempts: number;
  reason: string;
  traceparent: string;
  created_at: Date;
  sent_at: Date | null;
  queued_at: Date;
}
