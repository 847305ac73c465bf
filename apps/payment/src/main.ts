import process from 'node:process';
import { runProcess } from '@tillstream/service/process';
import { home, paymentApp, type PaymentTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, PaymentTables>({ process, name: home.name, home, settings, app: paymentApp });
