/**
 * npm run races -- [--rounds 1000] [--contenders 16] [--only name] [--seed 1]
 * npm run races -- --planted                 a fault in each race, to show that the race sees it
 *
 * Races on a Postgres of their own (or the one that TEST_DATABASE_URL names). One line a race, one line of verdict; exits
 * non-zero when something was not as it must be.
 */
import { parseArgs } from 'node:util';
import startPostgres from '@tillstream/testkit/postgres-for-tests';
import { runRace, type Verdict } from './race.ts';
import { runPlanted } from './planted.ts';
import { races } from './races.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    contenders: { type: 'string', default: '16' },
    only: { type: 'string', default: '' },
    planted: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`npm run races -- [options]

  --rounds 1000        of each race
  --contenders 16      in each round, at least 4
  --only name          races whose name holds this: ${races.map((race) => race.name).join(', ')}
  --seed n             of what is drawn; said with the verdict
  --planted            with a fault in each race, to show that the race sees it
  --help

Exits 1 when something was not as it must be.`);
  process.exit(0);
}
const [rounds, contenders, seed] = [Number(values.rounds), Number(values.contenders), Number(values.seed)];
const chosen = races.filter((race) => race.name.includes(values.only));
if (chosen.length === 0 || !(rounds >= 1) || !(contenders >= 4) || !Number.isInteger(seed)) {
  console.error(`races: there is nothing to run. Names: ${races.map((race) => race.name).join(', ')}`);
  process.exit(2);
}

// One sight of a planted fault is enough.
const isPlanted = process.env['TILL_MUTANT'] !== undefined;
const stopPostgres = await startPostgres();
if (values.planted) {
  const blind = await runPlanted(values.only, Math.min(rounds, 200), seed).finally(() => stopPostgres?.());
  console.log(`races: ${blind.length === 0 ? 'every planted fault was seen' : `not seen by ${blind.join(', ')}`}`);
  process.exit(blind.length === 0 ? 0 : 1);
}
const verdicts: Verdict[] = [];
try {
  for (const race of chosen) {
    const show = (round: number, anomalies: number) => {
      if (process.stdout.isTTY)
        process.stdout.write(`\r${race.name.padEnd(34)} ${round}/${rounds} ${anomalies} anomalies `);
    };
    const verdict = await runRace(race, {
      rounds,
      contenders,
      seed,
      onRound: show,
      ...(isPlanted ? { mostAnomalies: 1 } : {}),
    });
    verdicts.push(verdict);
    const { anomalies, endings, seconds } = verdict;
    const ended = [...endings].map(([how, times]) => `${how}: ${times}`).join('; ');
    const line = `${race.name.padEnd(34)} ${verdict.rounds} rounds × ${contenders}  ${anomalies.length} anomalies  ${seconds.toFixed(1)} s  (${ended})`;
    console.log(`${process.stdout.isTTY ? '\r\x1b[K' : ''}${line}`);
    if (anomalies.length > 0) console.log(`  ${race.holds}`);
    for (const { round, what } of anomalies.slice(0, 5))
      console.log(`  round ${round} (seed ${seed + round}): ${what}`);
    const [first] = anomalies;
    if (first !== undefined)
      console.log(
        `  again: npm run races -- --only ${race.name} --rounds 50 --contenders ${contenders} --seed ${seed + first.round}`,
      );
  }
} finally {
  await stopPostgres?.();
}
const total = verdicts.reduce((sum, each) => sum + each.anomalies.length, 0);
const took = verdicts.reduce((sum, each) => sum + each.seconds, 0);
console.log(
  `races: ${verdicts.length} of ${races.length}, ${rounds} rounds × ${contenders}, ${total} anomalies, ${took.toFixed(0)} s, seed ${seed}`,
);
process.exitCode = total === 0 ? 0 : 1;
