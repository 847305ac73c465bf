/** All services. MEMORY_STORIES=200 plays more stories of each; MEMORY_SEED=7 begins at another. */
import { tellConformance } from './conformance.ts';

tellConformance({
  stories: Number(process.env['MEMORY_STORIES'] ?? 5),
  firstSeed: Number(process.env['MEMORY_SEED'] ?? 1),
});
