import process from 'node:process';
import { runProcess } from '@tillstream/service/process';
import { mailboxApp } from './app.ts';
import { settings } from './config.ts';

await runProcess({ process, name: 'mailbox', settings, app: mailboxApp });
