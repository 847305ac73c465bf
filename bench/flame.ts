/** A flame graph as one SVG file: wider = more of the busy time, below = called by what stands above it. */

export interface Sampled {
  /** From the outermost function to the one that was running. */
  readonly stack: readonly string[];
  readonly us: number;
}

interface Box {
  readonly name: string;
  us: number;
  readonly inner: Map<string, Box>;
}

const [width, row, deepest] = [1_200, 16, 60];
// What would be narrower cannot be read or pointed at.
const narrowestShare = 0.001;

export function flameGraph(title: string, sampled: readonly Sampled[]): string {
  const root: Box = { name: title, us: 0, inner: new Map() };
  for (const { stack, us } of sampled) {
    let at = root;
    root.us += us;
    for (const name of stack.slice(0, deepest)) {
      const next = at.inner.get(name) ?? { name, us: 0, inner: new Map() };
      at.inner.set(name, next);
      next.us += us;
      at = next;
    }
  }
  const drawn: string[] = [];
  const lowest = draw(root, { x: 0, depth: 0, total: root.us, drawn });
  const height = (lowest + 1) * row + 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="11">
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

/** Answers the lowest row that was drawn. */
function draw(box: Box, at: { x: number; depth: number; total: number; drawn: string[] }): number {
  const share = box.us / at.total;
  const wide = share * width;
  const name = `${box.name} ${(share * 100).toFixed(1)} %`;
  const letters = Math.floor((wide - 4) / 6.7);
  const label =
    letters >= 3
      ? `<text x="${(at.x + 2).toFixed(1)}" y="${at.depth * row + 12}">${escape(name.slice(0, letters))}</text>`
      : '';
  at.drawn.push(
    `<g><title>${escape(name)}</title><rect x="${at.x.toFixed(1)}" y="${at.depth * row}" width="${Math.max(wide - 0.3, 0.3).toFixed(1)}" height="${row - 1}" fill="${colourOf(box.name)}"/>${label}</g>`,
  );
  let [x, lowest] = [at.x, at.depth];
  for (const inner of [...box.inner.values()].toSorted((a, b) => b.us - a.us)) {
    if (inner.us / at.total < narrowestShare) break;
    lowest = Math.max(lowest, draw(inner, { ...at, x, depth: at.depth + 1 }));
    x += (inner.us / at.total) * width;
  }
  return lowest;
}

/** Ours, what came by npm, and Node itself. */
function colourOf(name: string): string {
  if (/ (?:apps|packages)\//.test(name)) return '#f4a261';
  return / \S/.test(name) ? '#8ecae6' : '#d9d9d9';
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
