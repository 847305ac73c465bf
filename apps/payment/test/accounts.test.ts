import { createHmac, randomUUIDv7 } from 'node:crypto';
import { publicId, readPublicId } from '@tillstream/database/public-id';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { makeVault, type Vault } from '@tillstream/vault/vault';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ownAccountId, sharedAccountId, sharedAddress } from '../src/domain/provider-account.ts';
import { AccountHealth } from '../src/outbound/account-health.ts';
import { contextOf, ProviderAccounts } from '../src/outbound/provider-accounts.ts';
import { allProviders } from '../src/outbound/providers/all.ts';
import { ownAccount } from '../src/outbound/providers/sandbox/credentials.ts';
import { sharedTransports } from '../src/outbound/providers/http.ts';
import { resealCredentials } from '../src/outbound/reseal-credentials.ts';
import { makeWorld, otherMerchantId, vaultKeys, type World } from './world.ts';

let world: World;
let orders = 20_000n;
const nextOrder = () => (orders += 1n);
const vault = makeVault(vaultKeys);

beforeAll(async () => {
  world = await makeWorld({ accountsKeptForMs: 20 });
});
afterAll(() => world.stop());
beforeEach(() => {
  world.handsOn = true;
});

/** As another process has them. */
const accountsOf = (options: { vault?: Vault; secret?: string } = {}) => {
  const config = { ...world.config, ...(options.secret === undefined ? {} : { SANDBOX_SECRET: options.secret }) };
  return new ProviderAccounts({
    database: world.open(),
    vault: options.vault ?? vault,
    kinds: allProviders(config),
    callbackBaseUrl: config.CALLBACK_BASE_URL,
    transport: sharedTransports(),
    watch: (_, through) => through,
    log: quietLog(),
  });
};
const rowsOf = async (merchantId: string) => {
  const { rows } = await world.admin.query<{
    account_id: string;
    credentials: Buffer;
    livemode: boolean;
    state: string;
  }>('select * from payment.provider_account where merchant_id = $1 order by position, account_id', [merchantId]);
  return rows;
};
const accountIdOf = async (paymentId: string) => {
  const { rows } = await world.admin.query<{ account_id: string }>(
    'select account_id from payment.payment where payment_id = $1',
    [readPublicId('pay', paymentId)],
  );
  return rows[0]?.account_id;
};
/** A second account of the merchant at the sandbox, before the one that the installation gives. */
const addAccount = async (merchantId: string, methods: readonly string[]) => {
  const accountId = randomUUIDv7();
  const { credentials } = ownAccount(
    { secret: world.config.SANDBOX_SECRET ?? '', callbackSecret: world.config.SANDBOX_CALLBACK_SECRET ?? '' },
    // The sandbox knows an account by its name alone; this one's is made of another merchant's id.
    accountId,
  );
  const id = ownAccountId(accountId);
  const sealed = vault.seal(JSON.stringify(credentials), contextOf({ merchant_id: merchantId, account_id: id }));
  await world.admin.query(
    `insert into payment.provider_account (account_id, merchant_id, livemode, provider, credentials, settings, state, position)
     values ($1, $2, false, 'sandbox', $3, $4, 'active', 0)`,
    [id, merchantId, sealed, JSON.stringify({ methods })],
  );
  return id;
};

describe('the account that the installation gives', () => {
  test('is made once, however many processes need it at the same moment', async () => {
    const merchantId = randomUUIDv7();
    const processes = Array.from({ length: 20 }, () => accountsOf());
    const found = await Promise.all(processes.map((each) => each.ofMerchant(merchantId, false)));
    for (const [account, ...more] of found) {
      expect(account).toMatchObject({
        accountId: ownAccountId(merchantId),
        merchantId,
        state: 'active',
        livemode: false,
      });
      expect(more).toEqual([]);
    }
    expect(await rowsOf(merchantId)).toHaveLength(1);
  });

  test('has credentials of its own, which are sealed; another merchant’s key does not reach its payments', async () => {
    const [one, other] = [randomUUIDv7(), randomUUIDv7()];
    const payment = await world.create(nextOrder(), { merchantId: one });
    await world.create(nextOrder(), { merchantId: other });
    const [mine, theirs] = [(await rowsOf(one))[0], (await rowsOf(other))[0]];
    const keyOf = (row: typeof mine, merchant_id: string): string =>
      JSON.parse(
        vault
          .open(row?.credentials ?? Buffer.of(), contextOf({ merchant_id, account_id: row?.account_id ?? '' }))
          .toString(),
      ).apiKey;
    const [myKey, theirKey] = [keyOf(mine, one), keyOf(theirs, other)];
    expect(mine?.credentials.includes(myKey)).toBe(false);
    const ask = async (key: string) => {
      const answer = await fetch(`${world.sandboxUrl}/v1/payments?reference=${readPublicId('pay', payment.id)}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      return answer.json();
    };
    expect(await ask(myKey)).toMatchObject({ data: [{ status: 'created' }] });
    expect(await ask(theirKey)).toEqual({ data: [] });
  });

  test('is never one of live mode, also not by hand', async () => {
    const merchantId = randomUUIDv7();
    expect(await accountsOf().ofMerchant(merchantId, true)).toEqual([]);
    expect(await rowsOf(merchantId)).toEqual([]);
    await accountsOf().ofMerchant(merchantId, false);
    await expect(
      world.admin.query('update payment.provider_account set livemode = true where merchant_id = $1', [merchantId]),
    ).rejects.toThrow('provider_account_check');
  });

  test('is issued anew when the installation’s secret has changed, and not made again when it was disabled', async () => {
    const merchantId = randomUUIDv7();
    await accountsOf().ofMerchant(merchantId, false);
    const [before] = await rowsOf(merchantId);
    await accountsOf().ofMerchant(merchantId, false);
    expect((await rowsOf(merchantId))[0]).toEqual(before);
    await accountsOf({ secret: 'another secret of the sandbox' }).ofMerchant(merchantId, false);
    const [after] = await rowsOf(merchantId);
    expect(after?.account_id).toBe(before?.account_id);
    expect(after?.credentials).not.toEqual(before?.credentials);
    await world.admin.query(`update payment.provider_account set state = 'disabled' where merchant_id = $1`, [
      merchantId,
    ]);
    expect(await accountsOf().ofMerchant(merchantId, false)).toMatchObject([{ state: 'disabled' }]);
    await expect(world.create(nextOrder(), { merchantId })).rejects.toMatchObject({
      code: 'payment_method_not_supported',
    });
  });
});

describe('several accounts of a merchant', () => {
  test('are tried in their order; a payment keeps to its own, with its callbacks and its saved card', async () => {
    const merchantId = randomUUIDv7();
    const transfers = await addAccount(merchantId, ['BankTransfer']);
    const own = ownAccountId(merchantId);
    const [byTransfer, byCard] = [nextOrder(), nextOrder()];
    const transfer = await world.create(byTransfer, { merchantId, method: 'BankTransfer' });
    const card = await world.create(byCard, { merchantId, saveInstrument: true });
    expect([await accountIdOf(transfer.id), await accountIdOf(card.id)]).toEqual([transfers, own]);
    const before = world.callbacks.length;
    await world.submit(transfer, { action: 'approve' });
    await world.until(byTransfer, 'booked', merchantId);
    expect(new Set(world.callbacks.slice(before).map(({ address }) => address))).toEqual(
      new Set([publicId('pa', transfers)]),
    );
    // An account that comes first from now on changes nothing for what was begun.
    const cards = await addAccount(merchantId, ['CreditCard']);
    await world.submitCard(card, '4242424242424242');
    const { instrumentId } = await world.until(byCard, 'booked', merchantId);
    await eventually(async () => {
      const next = await world.create(nextOrder(), { merchantId });
      return (await accountIdOf(next.id)) === cards;
    });
    const renewed = nextOrder();
    await world.chargeDue({ merchant: merchantId, orderId: renewed, instrumentId });
    const renewal = await world.until(renewed, 'booked', merchantId);
    expect(await accountIdOf(renewal.id)).toBe(own);
  });

  test('what one cannot be opened with does not stand in the way of the next', async () => {
    const merchantId = randomUUIDv7();
    const broken = await addAccount(merchantId, ['CreditCard']);
    await world.admin.query(`update payment.provider_account set credentials = '\\x00' where account_id = $1`, [
      broken,
    ]);
    const payment = await world.create(nextOrder(), { merchantId });
    expect(await accountIdOf(payment.id)).toBe(ownAccountId(merchantId));
  });
});

describe('the address that all merchants shared', () => {
  test('serves what was begun before merchants had accounts, and nothing else', async () => {
    const merchantId = randomUUIDv7();
    const [old, young] = [nextOrder(), nextOrder()];
    // Made by a process of the version before, which died before it called the provider.
    await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500' });
    const made = await world.create(old, { merchantId });
    await world.admin.query('update payment.payment set account_id = null where payment_id = $1', [
      readPublicId('pay', made.id),
    ]);
    await world.admin.query(`update payment.attempt set due_at = '-infinity' where state = 'unknown'`);
    const payment = await eventually(async () => {
      const now = await world.payment(old, merchantId);
      return now?.redirectUrl === '' ? undefined : now;
    });
    const before = world.callbacks.length;
    await world.submitCard(payment, '4242424242424242');
    await world.until(old, 'booked', merchantId);
    expect(new Set(world.callbacks.slice(before).map(({ address }) => address))).toEqual(new Set(['sandbox']));
    const { rows } = await world.admin.query<{ account_id: string }>(
      'select distinct account_id from payment.callback where reference = $1',
      [readPublicId('pay', made.id)],
    );
    expect(rows).toEqual([{ account_id: sharedAddress }]);
    expect((await rowsOf(merchantId)).map((row) => row.account_id).toSorted()).toEqual(
      [ownAccountId(merchantId), sharedAccountId(merchantId)].toSorted(),
    );

    // The secret that all shared says nothing about a payment of an account.
    world.handsOn = false;
    const other = await world.create(young, { merchantId });
    const from = world.callbacks.length;
    await world.submitCard(other, '4242424242424242');
    const paid = await eventually(() =>
      world.callbacks.slice(from).find(({ body }) => body.includes('payment.succeeded')),
    );
    const seconds = Math.floor(Date.now() / 1_000);
    const signature = createHmac('sha256', world.config.SANDBOX_CALLBACK_SECRET ?? '')
      .update(`${seconds}.`)
      .update(paid.body)
      .digest('hex');
    const headers = { 'sandbox-signature': `t=${seconds},v1=${signature}` };
    expect(await world.api.receiveCallback({ provider: 'sandbox', headers, body: paid.body })).toEqual({ isNew: true });
    expect((await world.payment(young, merchantId))?.status).toBe('created');
    // What came there first does not keep the account from hearing it.
    expect(await world.api.receiveCallback({ provider: paid.address, ...paid })).toEqual({ isNew: true });
    expect((await world.payment(young, merchantId))?.status).toBe('booked');
  });

  test('addresses that name no account are unknown', async () => {
    const unknown = [
      publicId('pa', randomUUIDv7()),
      publicId('pay', ownAccountId(otherMerchantId)),
      'pa_',
      'nobody',
      '__proto__',
      '',
    ];
    for (const provider of unknown)
      await expect(
        world.api.receiveCallback({ provider, headers: {}, body: Buffer.from('{}') }),
        provider,
      ).rejects.toMatchObject({ code: 'provider_not_found' });
  });
});

test('credentials follow the vault’s keys; what cannot be opened is counted', async () => {
  const merchantId = randomUUIDv7();
  const id = await addAccount(merchantId, ['CreditCard']);
  const newKey = `k2:${Buffer.alloc(32, 4).toString('base64')}`;
  const both = makeVault(`${newKey},${vaultKeys}`);
  const parts = { database: world.open(), vault: both, log: quietLog() };
  const { resealed } = await resealCredentials(parts);
  expect(resealed).toBeGreaterThan(0);
  const again = await resealCredentials(parts);
  expect(again.resealed).toBe(0);
  // The one that an earlier test has broken.
  expect(again.unreadable).toBe(1);
  const row = (await rowsOf(merchantId)).find((each) => each.account_id === id);
  expect(
    makeVault(newKey).open(row?.credentials ?? Buffer.of(), contextOf({ merchant_id: merchantId, account_id: id }))
      .length,
  ).toBeGreaterThan(0);
  // Back to the key that the running service has.
  await resealCredentials({ ...parts, vault: makeVault(`${vaultKeys},${newKey}`) });
});

test('health: failures are counted until a success, and one statement writes all accounts', async () => {
  const merchants = [randomUUIDv7(), randomUUIDv7()];
  const accounts = accountsOf();
  for (const merchantId of merchants) await accounts.ofMerchant(merchantId, false);
  const statements: string[] = [];
  const health = new AccountHealth(
    world.open((statement) => statements.push(statement)),
    quietLog(),
  );
  let status: number | undefined = 200;
  const [first = '', second = ''] = merchants;
  const through = (merchantId: string) =>
    health.watch({ accountId: ownAccountId(merchantId), merchantId }, async () => {
      if (status === undefined) throw new Error('ECONNRESET');
      return { status, text: '' };
    });
  const call = (merchantId: string) =>
    through(merchantId)({ method: 'GET', path: '/', headers: {}, signal: AbortSignal.timeout(1_000) }).catch(
      () => undefined,
    );
  const healthOf = async (merchantId: string) => {
    const { rows } = await world.admin.query<{ failures: number; well: boolean; ill: boolean }>(
      `select consecutive_failures as failures, last_success_at is not null as well, last_failure_at is not null as ill
       from payment.provider_account where merchant_id = $1`,
      [merchantId],
    );
    return rows[0];
  };
  for (status of [200, undefined, 503, 401]) await call(first);
  status = 422;
  await call(second);
  await health.write();
  expect(statements.filter((each) => each.includes('provider_account'))).toHaveLength(1);
  expect(await healthOf(first)).toEqual({ failures: 3, well: true, ill: true });
  expect(await healthOf(second)).toEqual({ failures: 0, well: true, ill: false });
  status = 500;
  await call(first);
  await health.write();
  expect(await healthOf(first)).toMatchObject({ failures: 4 });
  status = 200;
  await call(first);
  await health.write();
  expect(await healthOf(first)).toMatchObject({ failures: 0 });
  const written = statements.length;
  await health.write();
  expect(statements).toHaveLength(written);
});
