/** To the customer, before a renewal: what, when, how much, and how not to (R85). */
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { formatMinor } from '@tillstream/money/money';
import type { RenewalNoticeFacts } from '../../domain/facts.ts';
import { wordsOf } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { dayOf, lengthOf, localeOf, momentOf } from './dates.ts';
import type { Letter } from './letter.ts';
import { managePageOf, productLineOf, productOf, writeNotice } from './notice.ts';

interface Said {
  readonly subject: string;
  readonly preheader: string;
  readonly heading: string;
  readonly intro: string;
  readonly callouts: readonly string[];
  readonly after: string;
}

export function writeRenewalNotice(
  document: OrderDocument,
  order: Order,
  item: OrderItem,
  facts: RenewalNoticeFacts,
): Letter {
  const words = wordsOf(order.locale);
  const sum = formatMinor(BigInt(facts.amountMinor), facts.currency, localeOf(order));
  const said = sayNotice(words, facts, {
    product: productOf(item),
    day: dayOf(facts.chargeAt, order),
    end: dayOf(facts.expiresAt, order),
    sum,
    isNewPrice: isNewPrice(item, facts),
  });
  const terms = words.subscription;
  const isByHand = facts.type === 'PMR';
  return writeNotice(document, order, {
    ...said,
    intro: [said.intro],
    facts: [
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.amount, value: sum },
      { label: isByHand ? terms.orderedOn : terms.chargedOn, value: momentOf(facts.chargeAt, order) },
      {
        label: facts.isConversionFromTrial ? terms.freeUntil : terms.paidUntil,
        value: momentOf(facts.expiresAt, order),
      },
      {
        label: terms.length,
        value: lengthOf(item.subscription?.period ?? item.subscriptionTerms?.period ?? '', order),
      },
    ],
    button: terms.manage,
    url: managePageOf(item, order),
    after: [said.after],
  });
}

/** After a trial every sum is another than the last; what counts is the one that was agreed on. */
function isNewPrice(item: OrderItem, facts: RenewalNoticeFacts): boolean {
  if (!facts.isConversionFromTrial) return facts.isNewPrice;
  const terms = item.subscriptionTerms;
  return terms !== undefined && terms.renewalAmountMinor !== BigInt(facts.amountMinor);
}

function sayNotice(
  { renewalNotice: words }: Words,
  { type, isConversionFromTrial }: RenewalNoticeFacts,
  {
    product,
    day,
    end,
    sum,
    isNewPrice,
  }: { product: string; day: string; end: string; sum: string; isNewPrice: boolean },
): Said {
  const newPrice = isNewPrice ? [words.newPrice(sum)] : [];
  if (type === 'PMR') {
    return {
      subject: words.subjectByHand(product, end),
      preheader: words.preheaderByHand,
      heading: words.headingByHand,
      intro: words.introByHand(product, end, day),
      callouts: newPrice,
      after: words.cancelByHand(day),
    };
  }
  const preheader = words.preheader(day, sum);
  if (isConversionFromTrial) {
    return {
      subject: words.subjectTrial(product, day, sum),
      preheader,
      heading: words.headingTrial,
      intro: words.introTrial(product, end),
      callouts: [words.firstCharge(day, sum), ...newPrice],
      after: words.cancelTrial(day, end),
    };
  }
  return {
    subject: (isNewPrice ? words.subjectNewPrice : words.subject)(product, day, sum),
    preheader,
    heading: isNewPrice ? words.headingNewPrice : words.heading,
    intro: words.intro(product, day, sum),
    callouts: newPrice,
    after: words.cancel(day, end),
  };
}
