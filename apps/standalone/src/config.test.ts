import { settings as checkout } from '@tillstream/checkout/app';
import { settings as fulfillment } from '@tillstream/fulfillment/app';
import { settings as gateway } from '@tillstream/gateway/app';
import { settings as mailbox } from '@tillstream/mailbox/app';
import { settings as merchant } from '@tillstream/merchant/app';
import { settings as notification } from '@tillstream/notification/app';
import { settings as order } from '@tillstream/order/app';
import { settings as payment } from '@tillstream/payment/app';
import { settings as sandbox } from '@tillstream/sandbox/app';
import { commonSettings } from '@tillstream/service/config';
import { settings as webhookDispatcher } from '@tillstream/webhook-dispatcher/app';
import { expect, test } from 'vitest';
import { migrateSettings, settings, shopSettings } from './config.ts';

const services = { checkout, fulfillment, gateway, mailbox, merchant, notification, order, payment, sandbox };
const all = { ...services, webhookDispatcher, common: commonSettings, settings, migrateSettings, shopSettings };

test.each(Object.entries(all))('every setting of %s has its sentence', (_, shape) => {
  const fields: readonly (readonly [string, { description?: string | undefined }])[] = Object.entries(shape.shape);
  expect(fields.length).toBeGreaterThan(0);
  const silent = fields.filter(([, { description = '' }]) => !/^\S.{9,}[.…]$/.test(description)).map(([key]) => key);
  expect(silent).toEqual([]);
});
