/** One line per invariant, the first offending rows under it, and a verdict. */
import { isFault, type Finding } from './examine.ts';

export function lineOf(finding: Finding): string {
  const { invariant, rows, hasMore, failure, tookMs } = finding;
  const count = `${rows.length}${hasMore ? ' or more' : ''}`;
  const said = failure === undefined ? (rows.length === 0 ? 'ok' : `${count} rows`) : 'FAILED';
  const mark = isFault(finding) ? '✗' : rows.length > 0 ? '!' : '✓';
  return `${mark} ${invariant.name.padEnd(42)} ${said.padEnd(16)} ${Math.round(tookMs)} ms`;
}

/** The sentence that does not hold, and the rows. */
export function detailsOf(finding: Finding, mostRows: number): readonly string[] {
  const { invariant, rows, hasMore, failure } = finding;
  if (rows.length === 0 && failure === undefined) return [];
  const shown = rows.slice(0, mostRows).map((row) => `    ${JSON.stringify(row, (_, value: unknown) => write(value))}`);
  const left = rows.length - shown.length;
  return [
    `  ${invariant.sentence}`,
    ...(failure === undefined ? [] : [`    could not be asked: ${failure}`]),
    ...shown,
    ...(left > 0 || hasMore ? [`    … and ${hasMore ? 'more' : left}`] : []),
  ];
}

export function verdictOf(findings: readonly Finding[]): string {
  const faults = findings.filter(isFault);
  const notices = findings.filter((finding) => !isFault(finding) && finding.rows.length > 0);
  const noticed = notices.length === 0 ? '' : `; to look at: ${notices.map((each) => each.invariant.name).join(', ')}`;
  return faults.length === 0
    ? `doctor: well, ${findings.length} invariants hold${noticed}`
    : `doctor: NOT WELL, ${faults.length} of ${findings.length} invariants do not hold: ${faults.map((each) => each.invariant.name).join(', ')}${noticed}`;
}

function write(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
