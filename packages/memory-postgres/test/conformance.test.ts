/** One service with every change; all of them in conformance.nightly.test.ts. */
import { tellConformance } from './conformance.ts';

tellConformance({ schemas: ['order'], stories: 1, firstSeed: 1 });
