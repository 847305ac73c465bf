import { test } from 'vitest';
import { whyNoKafka } from './kafka.ts';
import { tellSubscriptions } from './subscriptions.ts';

const why = whyNoKafka();
if (why === undefined) tellSubscriptions('split');
else test(`the split form is not run: ${why}`, () => undefined);
