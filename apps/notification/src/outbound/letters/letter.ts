/** What a letter is, and how words of strangers get into it without becoming headers, markup or somebody's advertisement. */
export interface Letter {
  readonly to: string;
  /** Shown beside the address mails come from. */
  readonly fromName: string;
  /** '' = the shop has no support address. */
  readonly replyTo: string;
  readonly language: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

// Control characters, line and paragraph separators, and the marks that turn the direction of what follows.
const unseemly = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

const segmenter = new Intl.Segmenter();

/** One line of at most so many characters; whole characters, also where one is made of several. */
export function lineOf(text: string, longest: number): string {
  const line = text.replaceAll(unseemly, ' ').replaceAll(/\s+/g, ' ').trim();
  if (line.length <= longest) return line;
  const graphemes = [...segmenter.segment(line)];
  if (graphemes.length <= longest) return line;
  return `${graphemes
    .slice(0, longest - 1)
    .map((each) => each.segment)
    .join('')}…`;
}

/** The first name for a greeting; '' when it is rather an address than a name. */
export function greetableName(name: string): string {
  const line = lineOf(name, 60);
  return /:\/\/|www\.|\.[a-z]{2,}\/|@/i.test(line) ? '' : line;
}

/** Only what a browser opens as a page. */
export function linkOf(url: string): string {
  return /^https?:\/\//i.test(url) ? url : '';
}

export function textOf(blocks: readonly (string | readonly string[])[]): string {
  return `${blocks
    .map((block) => (typeof block === 'string' ? block : block.join('\n')))
    .filter((block) => block !== '')
    .join('\n\n')}\n`;
}
