/** English, and what every other language must have: a missing key does not compile. */
import { renewalEn } from './en-renewal.ts';

/** A sentence with a link inside. */
export interface Linked {
  readonly before: string;
  readonly link: string;
  readonly after: string;
}

/** What a page says when something is open, done or wrong. */
export interface Told {
  readonly title: string;
  readonly text: string;
}

const linked = (before: string, link: string, after: string): Linked => ({ before, link, after });

export const en = {
  name: 'English',
  skip: 'Skip to the content',
  secure: 'Secure checkout',
  testMode: 'Test mode. No real money is taken.',
  steps: { label: 'Progress', details: 'Details', payment: 'Payment', done: 'Done' },
  footer: { language: 'Language', terms: 'Terms of sale', privacy: 'Privacy', support: 'Contact support' },
  newWindow: 'opens in a new window',

  checkout: {
    title: 'Checkout',
    titleWithErrors: (count: number) => `${count === 1 ? '1 thing' : `${count} things`} to correct`,
    details: 'Your details',
    detailsHint: 'The licence and the receipt go to this email address.',
    payment: 'Payment method',
    confirm: 'Confirm your order',
    optional: 'optional',
    country: 'Choose your country',
    company: 'Buying for a company?',
    companyHint: 'Company name, address and VAT number for the receipt',
    place: (sum: string) => `Order with obligation to pay ${sum}`,
    placeHint: 'With this button you place a binding order. You pay in the next step.',
    terms: linked('I accept the ', 'terms of sale', '.'),
    privacy: linked('I agree that my personal data are processed for this order as the ', 'privacy notice', ' says.'),
    privacyPlain: 'I agree that my personal data are processed for this order.',
    termsPlain: 'I accept the seller’s terms of sale.',
  },
  summary: {
    title: 'Your order',
    show: 'Show your order',
    total: 'Total',
    taxes: 'All taxes are included.',
    quantity: 'Quantity',
    quantityOf: (name: string) => `Quantity of ${name}`,
    each: (sum: string) => `${sum} each`,
    update: 'Update',
    remove: 'Remove',
    removeOf: (name: string) => `Remove ${name}`,
    currency: 'Currency',
    items: (count: number) => (count === 1 ? '1 item' : `${count} items`),
  },
  fields: {
    email: {
      label: 'Email',
      required: 'Enter your email address.',
      invalid: 'Enter an email address such as name@example.com.',
    },
    first_name: { label: 'First name', required: 'Enter your first name.', invalid: 'This first name cannot be used.' },
    last_name: { label: 'Last name', required: 'Enter your last name.', invalid: 'This last name cannot be used.' },
    country: { label: 'Country', required: 'Choose your country.', invalid: 'Choose your country from the list.' },
    company_name: {
      label: 'Company name',
      required: 'Enter the company’s name.',
      invalid: 'This company name cannot be used.',
    },
    company_billing_address: {
      label: 'Billing address',
      required: 'Enter the billing address.',
      invalid: 'This billing address cannot be used.',
    },
    vat_number: {
      label: 'VAT number',
      required: 'Enter the VAT number.',
      invalid: 'Check the VAT number, for example DE123456789.',
    },
    payment_method: {
      label: 'Payment method',
      required: 'Choose a payment method.',
      invalid: 'Choose one of the payment methods shown.',
    },
    auto_renew: {
      label: 'Automatic renewal',
      required: 'Agree to the automatic renewal to start the free trial.',
      invalid: 'Agree to the automatic renewal to start the free trial.',
    },
    terms_accepted: {
      label: 'Terms of sale',
      required: 'Accept the terms of sale to order.',
      invalid: 'Accept the terms of sale to order.',
    },
    privacy_accepted: {
      label: 'Personal data',
      required: 'Agree to the processing of your personal data to order.',
      invalid: 'Agree to the processing of your personal data to order.',
    },
  },
  problems: {
    summary: 'Please correct this',
    errorPrefix: 'Error:',
    tooLong: (label: string) => `${label} is too long. Shorten it.`,
    cardNumber: 'This looks like a card number. Never enter it here: you give it on the payment provider’s page only.',
    quantity: (min: number, max: number) => `Enter a whole number from ${min} to ${max}.`,
    quantityPlain: 'Enter a whole number within what is on sale.',
    cartChanged:
      'Your cart has changed since you saw this page. This is how it is now. Please check it and order again.',
    cartUpdated: 'The cart is updated. Please check the new total, then order.',
    codeNotValid: 'The code in the link is not valid. The price is unchanged.',
    tryAgain:
      'We could not reach a part of the shop just now. Nothing was ordered and no money was taken. Please try again.',
    notAvailable:
      'A product in your cart is no longer for sale and was taken out. Please check the new total, then order.',
    currency: 'Not everything in your cart has a price in this currency. The cart is unchanged.',
    unexpected: 'This could not be accepted. Please check your entries.',
  },

  linkRefused: {
    product_not_found: {
      title: 'This product does not exist',
      text: 'The link may be incomplete or out of date. Nothing was put in your cart.',
    },
    product_not_available: {
      title: 'This product is not for sale',
      text: 'The seller has taken it off sale. Your cart is unchanged.',
    },
    currency_not_supported: {
      title: 'There is no price in this currency',
      text: 'The product is not sold in the currency that the link asks for. Your cart is unchanged.',
    },
    quantity_out_of_range: {
      title: 'This quantity is not possible',
      text: 'The link asks for a quantity that is not sold. Your cart is unchanged.',
    },
    too_many_items: {
      title: 'Your cart is full',
      text: 'It holds as many different products as it can. Your cart is unchanged.',
    },
    invalid_field: {
      title: 'This link cannot be used',
      text: 'Something that the link carries for the seller is too long or is not allowed. Your cart is unchanged.',
    },
    card_number_refused: {
      title: 'This link carries a card number',
      text: 'Card data is entered on the payment provider’s page only. Nothing of it was kept, and your cart is unchanged.',
    },
  },
  backToCart: 'Back to your cart',

  cartEmpty: {
    title: 'Your cart is empty',
    text: 'Go back to the shop and choose a product. Its link brings you here again.',
  },
  cartGone: {
    title: 'We do not find this cart',
    text: 'It may be too old, or the link is incomplete. Go back to the shop and choose the product again.',
  },
  cartOrdered: {
    title: 'This cart is ordered already',
    text: (order: string) => `It became order ${order}. You do not have to order again.`,
    link: 'Go to your order',
  },

  renewal: renewalEn,

  pay: {
    title: (order: string) => `Pay for order ${order}`,
    lead: 'Your order is placed. One step is left: the payment.',
    button: (sum: string) => `Pay ${sum} by card`,
    hint: 'You go to the payment provider’s page, enter your card there and come back here.',
    waiting: {
      title: 'We are connecting you to the payment page',
      text: 'This takes a few seconds. The page goes on by itself.',
    },
    checkAgain: 'Check now',
    unresolved: {
      title: 'We do not know yet whether your last payment worked',
      text: 'Please do not pay again. We are asking the payment provider and will write to you as soon as we know.',
    },
    tryAgain: 'We could not reach the payment provider just now. No money was taken. Please try again.',
    methodGone: 'This payment method is not available now. Please try again or contact support.',
    ready: 'Your card is charged once. You can try again as often as you need on the same order.',
  },
  reasons: {
    card_declined: 'Your bank declined the card.',
    insufficient_funds: 'Your bank declined the payment: the card has not enough funds.',
    authentication_failed: 'The confirmation with your bank did not succeed, so the payment was declined.',
    expired_card: 'The card has expired, so the payment was declined.',
    provider_error: 'The payment provider could not carry out the payment.',
    other: 'The payment did not succeed.',
  },
  moneyMoved: {
    no: 'No money was taken.',
    yes: 'Money was taken. We will contact you about it.',
    unknown: 'We do not know yet whether money was taken. Please do not pay again for now.',
  },

  thanks: {
    paid: {
      title: 'Thank you!',
      text: 'The payment has arrived. We are preparing your licence, and it appears here in a moment.',
    },
    delivered: {
      title: 'Thank you! Here is your licence',
      text: 'The payment has arrived and your order is complete.',
    },
    deliveredElsewhere: {
      title: 'Thank you!',
      text: 'The payment has arrived and your order is complete. Your licence is on its way to you.',
    },
    confirming: {
      title: 'Your payment has arrived',
      text: 'We are entering it in your order. This takes a few seconds.',
    },
    checking: {
      title: 'Your payment is being checked',
      text: 'The bank needs a little longer. Please do not pay again for now. You can close this page: we will write to you as soon as it is done.',
    },
    unknown: {
      title: 'We do not know yet whether your payment worked',
      text: 'Please do not pay again. We are asking the payment provider and will write to you as soon as we know. You can close this page.',
    },
    unfinished: {
      title: 'Your order is not paid yet',
      text: 'You came back before the payment was finished. Your order is kept; you can go on at any time.',
    },
    unpaid: { title: 'Your order is not paid yet', text: 'Your order is kept. You can pay at any time.' },
    failed: {
      title: 'The payment did not work',
      text: 'Your order is kept. You can try again, with this card or with another one.',
    },
    expired: {
      title: 'The time to pay ran out',
      text: 'The payment page was open too long and the payment was closed. Your order is kept; you can start again.',
    },
    withdrawn: {
      title: 'The seller withdrew this payment',
      text: 'The payment was closed by the seller before you had authorised it. Your order is kept; you can start a new payment, or ask the seller for the reason.',
    },
    deleted: {
      title: 'This order was deleted',
      text: 'It can no longer be paid. If you still want the product, please order again.',
    },
    whatNext: 'What happens next',
    nextMail: (email: string) => `We send the payment confirmation and your licence to ${email}.`,
    nextMailPlain: 'We send the payment confirmation and your licence to your email address.',
    nextPage: 'The order page keeps everything. Keep its link: it opens without a password.',
    nextSpam: 'Nothing after ten minutes? Look into the spam folder, or contact support.',
    orderPage: 'Go to the order page',
    retry: 'Try again',
    goOn: 'Go on to payment',
    waiting: 'This page updates by itself.',
    updated: 'The page was updated.',
  },
  order: {
    title: (order: string) => `Order ${order}`,
    placed: 'Ordered',
    paid: 'Paid',
    items: 'Items',
    payment: 'Payment',
    state: 'State',
    states: {
      unpaid: 'Not paid',
      paid: 'Paid',
      deleted: 'Deleted',
      delivered: 'Delivered',
      preparing: 'Being prepared',
    },
    licences: (count: number) => (count === 1 ? 'Licence code' : `${count} licence codes`),
    licencePreparing: 'The licence is being prepared. It appears here, and we send it to you by email.',
    licenceByMail: 'The licence was sent by email.',
    licenceAfterPayment: 'The licence appears here after the payment.',
    licencePrivate: 'A licence code is like money. Share this page with nobody.',
    copy: 'Copy',
    copyOf: (code: string) => `Copy the code ${code}`,
    copied: 'Copied',
    cardEnding: (card: string, last4: string) => `${card} ending in ${last4}`,
    card: 'Card',
    method: 'Payment method',
    paymentStates: {
      created: 'Started',
      seen: 'Started',
      processing: 'Being checked',
      confirmed: 'Being checked',
      booked: 'Paid',
      failed: 'Did not work',
      expired: 'Ran out of time',
      withdrawn: 'Withdrawn by the seller',
      processing_expired: 'Being checked',
      none: 'Not started',
    },
    payNow: 'Pay now',
    help: 'Questions about this order?',
    helpText: (order: string) => `Please name the order ${order} when you write to us.`,
  },

  notFound: {
    title: 'We do not find this page',
    text: 'The link may be incomplete or out of date. Please open it again from the email or the shop.',
  },
  failed: {
    title: 'Something went wrong on our side',
    text: 'It was recorded. Please try again in a moment; what you ordered and paid is kept safe.',
    reference: 'Reference',
  },
  unavailable: {
    title: 'A part of the shop does not answer',
    text: 'Please try again in a moment. What you ordered and paid is kept safe.',
    again: 'Try again',
  },
  tooManyRequests: { title: 'That was a little fast', text: 'Please wait a few seconds, then try again.' },
  tooLarge: {
    title: 'That was too much',
    text: 'The form was larger than we can take. Please go back and shorten your entries.',
  },
  foreignForm: {
    title: 'This form came from another website',
    text: 'For your safety it was not accepted. Please open the page here and try again.',
  },
};

export type Words = typeof en;
