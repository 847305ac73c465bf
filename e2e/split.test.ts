import { test } from 'vitest';
import { whyNoKafka } from './kafka.ts';
import { tellStories } from './stories.ts';

const why = whyNoKafka();
if (why === undefined) tellStories('split');
else test(`the split form is not run: ${why}`, () => undefined);
