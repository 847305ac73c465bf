/** `npm run doctor`: examines an installation and exits with 0 when it is well, 1 when not, 2 when it could not look. */
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { reachableFolder } from '@tillstream/embedded/folder';
import { examine, isFault } from './examine.ts';
import { NotRunning, urlOfFolder } from './folder.ts';
import { detailsOf, lineOf, verdictOf } from './report.ts';

const usage = `npm run doctor -- [--url postgres://…] [--data folder] [--grace seconds] [--only begin-of-name]… [--rows n] [--json]

  --url    the database; else that of the installation in --data, else of npm start (.data, or TILLSTREAM_DATA)
  --grace  what is younger may be on its way (120)
  --rows   how many offending rows are shown of each (5)`;

try {
  await run();
} catch (error) {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  // Of a connection that failed the message names host and port only, never the password.
  console.error(isUsage ? `${error.message}\n\n${usage}` : error instanceof Error ? error.message || error : error);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      data: { type: 'string' },
      grace: { type: 'string', default: '120' },
      only: { type: 'string', multiple: true },
      rows: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const [graceSeconds, mostRows] = [values.grace, values.rows].map(Number);
  if (!isCount(graceSeconds) || !isCount(mostRows)) throw new NotRunning(usage);
  const named = values.data ?? process.env['TILLSTREAM_DATA'];
  const url = values.url ?? urlOfFolder(named === undefined ? reachableFolder(resolve('.data')) : resolve(named));
  const findings = await examine({
    url,
    graceSeconds,
    ...(values.only === undefined ? {} : { only: values.only }),
    onFinding: (finding) => {
      if (!values.json) for (const line of [lineOf(finding), ...detailsOf(finding, mostRows)]) console.log(line);
    },
  });
  if (values.json) console.log(JSON.stringify(findings));
  else console.log(verdictOf(findings));
  process.exitCode = findings.length > 0 && !findings.some(isFault) ? 0 : 1;
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0;
}
