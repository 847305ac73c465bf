/** A customer's way through the pages, without a browser. */
import { button, consents, fieldFor, filled, visibleText, Visitor, type Page } from './visitor.ts';

export const customer = {
  email: 'marcel.laporte@example.com',
  'given-name': 'Marcel',
  'family-name': 'Laporte',
  country: 'FR',
};

export const cards = {
  pays: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  poor: '4000 0000 0000 9995',
  strong: '4000 0027 6000 3184',
  silentPaid: '4000 0000 0000 7775',
  silentUnpaid: '4000 0000 0000 8880',
  /** Can be kept, and is declined when it is charged for a renewal. */
  failsOnRenewal: '4000 0000 0000 0341',
};

export interface Sale {
  readonly orderId: number;
  readonly token: string;
  readonly page: Page;
}

/** From the checkout link to the payment page: the order exists, nothing is paid. */
export async function placeOrder(
  visitor: Visitor,
  link: string,
  who: Record<string, string> = customer,
  choices: Record<string, string> = {},
): Promise<Sale> {
  const checkout = await visitor.open(link);
  if (checkout.status !== 200)
    throw new Error(`${link} answered ${checkout.status}: ${visibleText(checkout).slice(0, 500)}`);
  const pay = await visitor.press(checkout, button(checkout, /obligation to pay|zahlungspflichtig/i), {
    ...filled(checkout, who),
    ...consents(checkout),
    ...choices,
  });
  const place = /\/pay\/(\d+)\/([0-9a-f]{32})/.exec(pay.url);
  if (place === null) throw new Error(`not on the payment page but on ${pay.url}:\n${visibleText(pay).slice(0, 1500)}`);
  return { orderId: Number(place[1]), token: place[2] ?? '', page: pay };
}

/** From the payment page over the provider's page back to the shop. */
export async function payByCard(visitor: Visitor, page: Page, card: string): Promise<Page> {
  let provider = await visitor.press(page, button(page, /^(pay|try again|zahl|bezahl)/i));
  // The provider may not have answered yet; the page then refreshes itself. The payment page itself is a refusal, and who
  // was paid for in another tab is thanked.
  const isAnswered = () => hasCardField(provider) || provider.url === page.url || provider.url.includes('/thanks/');
  for (let tries = 0; tries < 30 && !isAnswered(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    provider = await visitor.open(provider.url);
  }
  return visitor.press(provider, button(provider, /pay|zahl|save card|karte speichern/i), {
    [fieldFor(provider, 'cc-number')]: card,
    [fieldFor(provider, 'cc-exp')]: '12/34',
    [fieldFor(provider, 'cc-csc')]: '123',
  });
}

/** The whole way; resolves on the page the provider sent the customer back to. */
export async function buy(
  link: string,
  card = cards.pays,
  visitor = new Visitor(),
  choices: Record<string, string> = {},
): Promise<Sale> {
  const sale = await placeOrder(visitor, link, customer, choices);
  const page = await payByCard(visitor, sale.page, card);
  return { ...sale, page };
}

function hasCardField(page: Page): boolean {
  return page.document.querySelector('[autocomplete~=cc-number]') !== null;
}
