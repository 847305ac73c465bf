import type { Generated } from 'kysely';

export interface GatewayTables {
  answer: {
    merchant_id: string;
    idempotency_key: string;
    request_print: Buffer;
    request_id: string;
    locked_until: Date;
    fence: Generated<number>;
    status: number | null;
    content_type: string | null;
    body: Buffer | null;
    created_at: Generated<Date>;
  };
}
