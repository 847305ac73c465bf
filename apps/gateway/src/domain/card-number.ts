/** Card data never reaches us (D18): what looks like a card number is refused wherever a merchant could put it. */

// 13 to 19 digits, perhaps in groups, not inside a longer word such as an id. Cards begin with 2 to 6; a time in
// milliseconds begins with 1. Runs are bounded, so the search is linear.
const candidates = /(?<![A-Za-z0-9])[2-6](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9])/g;

export function looksLikeCard(text: string): boolean {
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
