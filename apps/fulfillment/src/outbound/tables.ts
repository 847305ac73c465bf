import type { DeliveryItem } from '../domain/delivery/method.ts';

export interface FulfillmentTables {
  pool: {
    merchant_id: string;
    product_id: string;
    low_water_mark: number;
    available: number;
    issued: number;
    low_noticed: boolean;
    version: bigint;
  };
  pool_code: {
    pool_code_id: bigint;
    merchant_id: string;
    product_id: string;
    sealed: Buffer;
    fingerprint: Buffer;
    issued_at: Date | null;
    added_at: Date;
  };
  upload: {
    merchant_id: string;
    request_id: string;
    product_id: string;
    added: number;
    uploaded_at: Date;
  };
  delivery: {
    item_id: bigint;
    merchant_id: string;
    order_id: bigint;
    product_id: string;
    quantity: number;
    method: DeliveryItem['method'];
    one_code_per: 'unit' | 'product';
    code_count: number;
    first_item_id: bigint;
    previous_item_id: bigint;
    status: 'waiting' | 'delivered';
    version: bigint;
    waiting_since: Date | null;
    waiting_trace: string;
    delivered_at: Date | null;
    delivered_trace: string;
    created_at: Date;
  };
  licence: {
    licence_id: string;
    merchant_id: string;
    order_id: bigint;
    item_id: bigint;
    unit_no: number;
    pool_code_id: bigint;
    issued_at: Date;
  };
}
