/** Accounts and their two tenants. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Merchant } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Selectable } from 'kysely';
import type { ShopSettings } from '../domain/settings.ts';
import type { MerchantTables } from './tables.ts';

export interface Account {
  readonly testMerchantId: string;
  readonly liveMerchantId: string;
  readonly isNew: boolean;
}

export class Accounts {
  readonly #database: Database<MerchantTables>;

  constructor(database: Database<MerchantTables>) {
    this.#database = database;
  }

  /** One account per name: a second call answers the first's tenants. */
  open(name: string, shopName: string, supportEmail: string): Promise<Account> {
    return this.#database.everyMerchant('a new account has no tenant yet', async (tx) => {
      const made = await tx
        .insertInto('account')
        .values({ account_id: randomUUIDv7(), name })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returning('account_id')
        .executeTakeFirst();
      if (made !== undefined) {
        const [test, live] = [randomUUIDv7(), randomUUIDv7()];
        const shared = { account_id: made.account_id, shop_name: shopName, support_email: supportEmail };
        await tx
          .insertInto('merchant')
          .values([
            { ...shared, merchant_id: test, livemode: false },
            { ...shared, merchant_id: live, livemode: true },
          ])
          .execute();
        return { testMerchantId: test, liveMerchantId: live, isNew: true };
      }
      const tenants = await tx
        .selectFrom('merchant')
        .innerJoin('account', 'account.account_id', 'merchant.account_id')
        .where('account.name', '=', name)
        .select(['merchant_id', 'livemode'])
        .execute();
      const idOf = (livemode: boolean) => tenants.find((tenant) => tenant.livemode === livemode)?.merchant_id ?? '';
      return { testMerchantId: idOf(false), liveMerchantId: idOf(true), isNew: false };
    });
  }

  async get(merchantIds: readonly string[]): Promise<readonly Merchant[]> {
    if (merchantIds.length === 0) return [];
    const rows = await this.#database.statement(merchantIds, (tx) =>
      tx
        .selectFrom('merchant')
        .where('merchant_id', 'in', [...merchantIds])
        .selectAll()
        .execute(),
    );
    return rows.map(toWire);
  }

  async change(merchantId: string, settings: ShopSettings): Promise<Merchant | undefined> {
    const row = await this.#database.statement([merchantId], (tx) =>
      tx
        .updateTable('merchant')
        .set({
          shop_name: settings.shopName,
          time_zone: settings.timeZone,
          locale: settings.locale,
          currencies: [...settings.currencies],
          support_email: settings.supportEmail,
          support_url: settings.supportUrl,
          terms_url: settings.termsUrl,
          privacy_url: settings.privacyUrl,
          commission_bp: settings.commissionBp,
          renewal_consent: settings.renewalConsent,
          renewal_consent_default: settings.renewalConsentDefault,
          unpaid_order_reminders: [...settings.unpaidOrderReminders],
          payment_expiry_minutes: settings.paymentExpiryMinutes,
        })
        .where('merchant_id', '=', merchantId)
        .returningAll()
        .executeTakeFirst(),
    );
    return row === undefined ? undefined : toWire(row);
  }
}

function toWire(row: Selectable<MerchantTables['merchant']>): Merchant {
  return {
    id: row.merchant_id,
    accountId: row.account_id,
    livemode: row.livemode,
    shopName: row.shop_name,
    timeZone: row.time_zone,
    locale: row.locale,
    currencies: row.currencies,
    supportEmail: row.support_email,
    supportUrl: row.support_url,
    termsUrl: row.terms_url,
    privacyUrl: row.privacy_url,
    policies: {
      commissionBp: row.commission_bp,
      renewalConsent: row.renewal_consent,
      renewalConsentDefault: row.renewal_consent_default,
      unpaidOrderReminders: row.unpaid_order_reminders,
      paymentExpiryMinutes: row.payment_expiry_minutes,
    },
    createdAt: row.created_at,
  };
}
