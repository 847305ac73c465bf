import { openDatabase } from '@tillstream/database/database';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { makeVault } from '@tillstream/vault/vault';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home, type GatewayTables } from '../src/app.ts';
import { Answers } from '../src/outbound/answers.ts';

const merchant = '00000000-0000-4000-8000-000000000001';
const vault = makeVault(`k1:${Buffer.alloc(32, 7).toString('base64')}`);
const lockedMs = 600;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase(home);
});
afterAll(async () => {
  for (const each of running.splice(0)) await each.die();
  await database.drop();
});

interface Life {
  readonly answers: Answers;
  die(): Promise<void>;
}
const running: Life[] = [];

function start(): Life {
  const connections = openDatabase<GatewayTables>({ url: database.url, schema: 'gateway', applicationName: 'test' });
  const life = { answers: new Answers(connections, vault, { lockedMs }), die: () => connections.close() };
  running.push(life);
  return life;
}

test('who works on a request for longer than a lock lasts keeps it', async () => {
  const [working, other] = [start(), start()];
  const mine = await working.answers.claim(merchant, 'long', 'POST /v1/products');
  if (mine.is !== 'mine') throw new Error('not claimed');
  for (let look = 0; look < 6; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, lockedMs / 2));
    expect((await other.answers.claim(merchant, 'long', 'POST /v1/products')).is).toBe('in flight');
  }
  await working.answers.keep(mine.claim, { status: 201, contentType: 'application/json', body: Buffer.from('{}') });
  expect((await other.answers.claim(merchant, 'long', 'POST /v1/products')).is).toBe('answered');
});

test('who dies is followed when its lock ends, with the same request id', async () => {
  const [dying, next] = [start(), start()];
  const first = await dying.answers.claim(merchant, 'death', 'POST /v1/products');
  await dying.die();
  running.splice(running.indexOf(dying), 1);
  const ask = () => next.answers.claim(merchant, 'death', 'POST /v1/products');
  expect((await ask()).is).toBe('in flight');
  await new Promise((resolve) => setTimeout(resolve, lockedMs));
  const second = await ask();
  if (first.is !== 'mine' || second.is !== 'mine') throw new Error(`not claimed: ${first.is}, ${second.is}`);
  expect(second.claim).toMatchObject({ requestId: first.claim.requestId, fence: first.claim.fence + 1 });
  await next.answers.release(second.claim);
  const third = await ask();
  expect(third.is).toBe('mine');
  if (third.is === 'mine') await next.answers.release(third.claim);
});
