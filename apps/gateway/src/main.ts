import process from 'node:process';
import { runProcess } from '@tillstream/service/process';
import { clientsOver, gatewayApp, home, type GatewayTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, GatewayTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) => gatewayApp({ ...parts, clients: clientsOver((target) => parts.channel(target)) }),
});
