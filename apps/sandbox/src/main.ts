import process from 'node:process';
import { runProcess } from '@tillstream/service/process';
import { sandboxApp } from './app.ts';
import { settings } from './config.ts';

await runProcess({ process, name: 'sandbox', settings, app: sandboxApp });
