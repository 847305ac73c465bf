/** Card data never reaches us (D18): what looks like a card number is refused wherever a merchant could put it. */

// 13 to 19 digits, perhaps in groups, not inside a longer word such as an id. Cards begin with 2 to 6; a time in
// milliseconds begins with 1. Runs are bounded, so the search is linear.
const candidates = /(?<![A-Za-z0-9])[2-6](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9])/g;

/** The dotted path of the first text within that looks like a card number, or undefined. The empty path is the value itself. */
export function findCardNumber(value: unknown): string | undefined {
  // A list of places instead of recursion: a stranger's JSON may be a hundred thousand levels deep.
  const places: { readonly path: string; readonly value: unknown }[] = [{ path: '', value }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { path } = place;
    if (typeof place.value === 'string' && looksLikeCard(place.value)) return path;
    if (typeof place.value !== 'object' || place.value === null) continue;
    const isList = Array.isArray(place.value);
    for (const [key, inner] of Object.entries(place.value)) {
      if (looksLikeCard(key)) return path;
      if (typeof inner === 'string' || typeof inner === 'object')
        places.push({ path: step(path, key, isList), value: inner });
    }
  }
  return undefined;
}

function step(path: string, key: string, isList: boolean): string {
  const longer = isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
  return longer.slice(0, 200);
}

function looksLikeCard(text: string): boolean {
  if (text.length < 13) return false;
  // Full-width and other forms of the digits are the same number to a reader.
  const plain = text.normalize('NFKC').replace(/[\u00a0\u2000-\u200f\u2010-\u2015\u2212]/g, '-');
  for (const [match] of plain.matchAll(candidates)) {
    if (passesLuhn(match.replace(/[ -]/g, ''))) return true;
  }
  return false;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = digit * 2;
    sum += at % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
