import { Simulator } from './history.ts';
import { homes } from './product.ts';
import { postgresGround } from './storage/postgres.ts';
import { memoryGround } from './storage/memory.ts';
import { tellStory } from './story.ts';
const [from, to] = [Number(process.argv[2]), Number(process.argv[3])];
const calm = process.argv.includes('--calm');
const simulator = await Simulator.on((scheduler) =>
  (process.argv.includes('--pg') ? postgresGround : memoryGround)(Object.values(homes), scheduler),
);
for (let seed = from; seed < to; seed += 1) {
  const story = tellStory(seed);
  const loud = process.argv.includes('--loud');
  const t = performance.now();
  try {
    const o = await simulator.run(calm ? { ...story, faults: [] } : story, loud ? (l) => console.log(l) : undefined);
    console.log(
      seed,
      Math.round(performance.now() - t),
      o.operations,
      `kills ${o.kills} struck ${o.struck}/${story.faults.length}`,
      o.violations.length ? JSON.stringify(o.violations) : 'ok',
    );
  } catch (error) {
    console.log(seed, 'ERROR', error);
  }
}
process.exit(0);
