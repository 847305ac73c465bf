import process from 'node:process';
import { runProcess } from '@tillstream/service/process';
import { home, merchantApp, type MerchantTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, MerchantTables>({ process, name: home.name, home, settings, app: merchantApp });
