/**
 * Some receivers say back what they were sent. The first bytes of an answer are kept in plain text for the merchant to
 * read; what is sealed on its way out must not come back in through them: licence codes, the customer, links that open an order.
 */
const secretParts = new Set([
  'customer',
  'activation_codes',
  'licence_codes',
  'order_detail_url',
  'detail_url',
  'additional_data',
  'metadata',
]);
// Shorter than a name or a code that means anything; FR and Visa tell nobody who it was.
const shortest = 4;

/** The answer without them; each is three dots. The answer may be cut anywhere. */
export function withoutEcho(answer: string, sent: Buffer): string {
  if (answer.length < shortest) return answer;
  const words = [...new Set(secretsOf(sent.toString('utf8')))].toSorted((a, b) => b.length - a.length);
  const masked = words.reduce((text, word) => text.replaceAll(word, '…'), answer);
  return words.reduce(withoutCutOff, masked);
}

function secretsOf(body: string): string[] {
  const texts: string[] = [];
  const look = (value: unknown, isSecret: boolean): void => {
    if (typeof value === 'string' && isSecret && value.length >= shortest)
      // As it is, and as JSON and a form write it.
      texts.push(
        value,
        JSON.stringify(value).slice(1, -1),
        JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'),
        encodeURIComponent(value.toWellFormed()),
      );
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) look(inner, isSecret || secretParts.has(name));
  };
  look(JSON.parse(body), false);
  return texts;
}

/** The beginning of a word with which a cut answer ends. */
function withoutCutOff(text: string, word: string): string {
  for (let length = word.length - 1; length >= shortest; length -= 1)
    if (text.endsWith(word.slice(0, length))) return `${text.slice(0, -length)}…`;
  return text;
}
