import process from 'node:process';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { home, merchantApp, travellers, type MerchantTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, MerchantTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) =>
    merchantApp({
      database: parts.database,
      clock: parts.clock,
      log: parts.log,
      config: parts.config,
      travellers: Object.fromEntries(
        travellers.map((name) => [name, makeClient(ClockApiService, parts.channel(name), { deadlineMs: 5_000 })]),
      ),
    }),
});
