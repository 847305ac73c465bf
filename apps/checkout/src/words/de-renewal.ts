import type { RenewalWords } from './en-renewal.ts';

/** In the dative: „innerhalb von einer Stunde“. */
function durationText(minutes: number): string {
  if (minutes % 60 !== 0) return `${minutes} Minuten`;
  return minutes === 60 ? 'einer Stunde' : `${minutes / 60} Stunden`;
}

/** German, about what renews. Lengths of time are in the accusative: „für einen Monat“. */
export const renewalDe: RenewalWords = {
  every: {
    days: (count) => (count === 1 ? 'jeden Tag' : `alle ${count} Tage`),
    weeks: (count) => (count === 1 ? 'jede Woche' : `alle ${count} Wochen`),
    months: (count) => (count === 1 ? 'jeden Monat' : `alle ${count} Monate`),
    years: (count) => (count === 1 ? 'jedes Jahr' : `alle ${count} Jahre`),
  },
  span: {
    days: (count) => (count === 1 ? 'einen Tag' : `${count} Tage`),
    weeks: (count) => (count === 1 ? 'eine Woche' : `${count} Wochen`),
    months: (count) => (count === 1 ? 'einen Monat' : `${count} Monate`),
    years: (count) => (count === 1 ? 'ein Jahr' : `${count} Jahre`),
  },
  terms: {
    renews: (sum, every) => `${sum} ${every}`,
    trial: (span, sum, every) => `Kostenlos für ${span}, danach ${sum} ${every}, bis Sie kündigen`,
    byHand: (sum, span) =>
      `${sum} für ${span}. Bevor die Zeit endet, senden wir Ihnen eine Bestellung zum Bezahlen. Von selbst wird nichts abgebucht.`,
    mayChange: 'Der Preis kann sich ändern: Wir nennen Ihnen die neue Summe per E-Mail, bevor wir sie abbuchen.',
    untilCancelled: (terms) => `${terms}, bis Sie kündigen.`,
  },
  charged: {
    again: (days) =>
      `Erste weitere Abbuchung ${days === 1 ? '1 Tag' : `${days} Tage`} vor dem Ende der Zeit, die Sie jetzt bezahlen.`,
    afterTrial: (days) => `Erste Abbuchung ${days === 1 ? '1 Tag' : `${days} Tage`} vor dem Ende der kostenlosen Zeit.`,
  },
  consent: {
    title: 'Automatische Verlängerung',
    agree: 'Ja, automatisch verlängern, bis ich kündige',
    implicit: 'Mit Ihrer Bestellung stimmen Sie der automatischen Verlängerung zu, bis Sie kündigen:',
    cancel:
      'Sie können jederzeit auf der Bestellseite kündigen. Was Sie bezahlt haben, behalten Sie bis zum Ende der Laufzeit.',
    card: 'Der Zahlungsanbieter bewahrt Ihre Karte für diese Abbuchungen auf.',
    without: 'Ohne das Häkchen kaufen Sie eine einzelne Laufzeit, und nichts verlängert sich von selbst.',
    withoutTrial: 'Ohne das Häkchen gibt es keinen kostenlosen Test.',
  },
  methods: {
    texts: {
      card: {
        name: 'Kredit- oder Debitkarte',
        hint: 'Die Karte geben Sie auf der Seite des Zahlungsanbieters ein. Wir sehen ihre Nummer nie.',
      },
      transfer: { name: 'Überweisung', hint: 'Die Überweisung bestätigen Sie auf der Seite des Zahlungsanbieters.' },
    },
    cannotRenew: 'Mit dieser Zahlungsart verlängert sich nichts von selbst: Sie kaufen eine einzelne Laufzeit.',
    thisTerm:
      'So bezahlen Sie nur diese Laufzeit. Spätere Verlängerungen werden weiter von der hinterlegten Karte abgebucht.',
    none: 'Gerade ist keine Zahlungsart verfügbar. Bitte versuchen Sie es später noch einmal oder schreiben Sie dem Kundendienst.',
  },
  outcome: {
    renews: 'Sie beginnen ein Abonnement. Es verlängert sich von selbst, bis Sie kündigen.',
    once: 'Sie kaufen eine einzelne Laufzeit. Es beginnt kein Abonnement, und nichts verlängert sich von selbst.',
    noTrial: 'Der kostenlose Test beginnt nur, wenn Sie der Verlängerung zustimmen.',
  },
  place: {
    trial: (now, terms) => `Zahlungspflichtig bestellen: heute ${now}, danach ${terms}`,
    trials: (now) => `Zahlungspflichtig bestellen: heute ${now}, spätere Abbuchungen wie aufgeführt`,
    hint: 'Mit diesem Knopf bestellen Sie verbindlich. Jetzt wird nichts abgebucht. Im nächsten Schritt geben Sie die Karte für die späteren Abbuchungen an.',
  },
  pay: {
    ready: 'Wenn es nicht gelingt, können Sie es mit derselben Bestellung noch einmal versuchen.',
    lead: 'Ihre Bestellung ist aufgegeben. Ein Schritt fehlt noch.',
    choose: 'Wie möchten Sie bezahlen?',
    button: (sum) => `Bezahlen: ${sum}`,
    buttonTrial: (sum) => `Bezahlen: heute ${sum}, Karte hinterlegen`,
    hintTrial:
      'Jetzt wird nichts abgebucht. Sie gelangen zur Seite des Zahlungsanbieters, geben dort Ihre Karte ein und kommen hierher zurück.',
    saved:
      'Wenn Sie mit Karte bezahlen, bewahrt der Zahlungsanbieter sie auf, und wir buchen wieder ab, bis Sie kündigen:',
    savedTrial: 'Der Zahlungsanbieter bewahrt Ihre Karte auf, und wir buchen ab, bis Sie kündigen:',
    newCard:
      'Wenn Sie mit Karte bezahlen, bewahrt der Zahlungsanbieter sie auf, und spätere Verlängerungen werden von dieser Karte abgebucht:',
    once: 'Sie kaufen eine einzelne Laufzeit. Nichts verlängert sich von selbst.',
    other: 'Anders bezahlen',
    otherOpen: (method, minutes) =>
      `Sie haben begonnen, auf andere Art zu bezahlen: ${method}. Bitte machen Sie damit weiter. Wenn Sie es lassen, endet diese Zahlung ${minutes === 0 ? 'bald' : `innerhalb von ${durationText(minutes)}`} von selbst, und Sie können neu wählen. Es wurde kein Geld abgebucht.`,
  },
  child: {
    title: 'Diese Bestellung verlängert Ihr Abonnement',
    extends: (product, end, until) =>
      `${product} ist bis zum ${end} bezahlt. Mit dieser Bestellung ist es bis zum ${until} bezahlt.`,
    extended: (product, until) => `${product} ist bis zum ${until} bezahlt.`,
    link: 'Zu Ihrem Abonnement',
  },
  section: {
    title: (count) => (count === 1 ? 'Ihr Abonnement' : `Ihre ${count} Abonnements`),
    states: { active: 'Aktiv', trial: 'Kostenloser Test', notPaid: 'Nicht bezahlt', cancelled: 'Gekündigt' },
    renews: 'Es verlängert sich von selbst, bis Sie kündigen.',
    trial: 'Der Test ist kostenlos. Danach verlängert es sich von selbst, bis Sie kündigen.',
    byHand:
      'Sie bezahlen jede Laufzeit selbst: Bevor diese endet, senden wir Ihnen eine Bestellung per E-Mail. Von selbst wird nichts abgebucht.',
    open: 'Die nächste Laufzeit ist noch nicht bezahlt. Den Link zum Bezahlen haben wir Ihnen per E-Mail gesendet.',
    tryAgain:
      'Die nächste Laufzeit ist noch nicht bezahlt. Ist eine Abbuchung fehlgeschlagen, haben wir Ihnen einen Link zum Bezahlen per E-Mail gesendet, und wir versuchen es noch einmal.',
    noTry:
      'Die nächste Laufzeit ist nicht bezahlt, und es ist keine weitere Abbuchung geplant. Damit es weitergeht, bezahlen Sie mit dem Link, den wir Ihnen per E-Mail gesendet haben.',
    gone: 'Die nächste Laufzeit wurde nicht bezahlt, und ihre Bestellung ist gelöscht.',
    cancelled: 'Es verlängert sich nicht mehr. Es wird nichts mehr abgebucht.',
    cancelledBySeller:
      'Der Verkäufer hat es gekündigt. Es verlängert sich nicht mehr, und es wird nichts mehr abgebucht.',
    cancelledByRefund:
      'Es wurde mit der Erstattung gekündigt. Es verlängert sich nicht mehr, und es wird nichts mehr abgebucht.',
    notRestorable: 'Es lässt sich nicht wieder einschalten. Damit es weitergeht, bestellen Sie das Produkt neu.',
    unavailable: 'Es lässt sich gerade nicht ändern. Bitte öffnen Sie diese Seite in einer Minute noch einmal.',
    accessUntil: 'Zugang bis',
    nextCharge: 'Nächste Abbuchung',
    nextOrder: 'Nächste Bestellung zum Bezahlen',
    cancelledOn: 'Gekündigt am',
    onDay: (sum, day) => `${sum} am ${day}`,
    price: 'Preis',
    cancel: 'Kündigen',
    restore: 'Wieder einschalten',
    of: (product) => `Abonnement von ${product}`,
  },
  changed: {
    cancelled: (product, day) => `Das Abonnement von ${product} ist gekündigt. Sie behalten den Zugang bis zum ${day}.`,
    active: (product) => `Das Abonnement von ${product} geht weiter.`,
    notPaid: (product) => `Das Abonnement von ${product} geht weiter, sobald die nächste Laufzeit bezahlt ist.`,
  },
  refused: {
    restore_not_supported:
      'Ein Abonnement, das Sie selbst bezahlen, lässt sich nicht wieder einschalten. Damit es weitergeht, bestellen Sie das Produkt neu.',
    subscription_ended:
      'Die bezahlte Zeit ist vorbei, deshalb lässt es sich nicht wieder einschalten. Damit es weitergeht, bestellen Sie das Produkt neu.',
    unavailable:
      'Ein Teil des Shops antwortet nicht. Es wurde nichts geändert. Bitte versuchen Sie es gleich noch einmal.',
  },
  cancelling: {
    title: (product) => `Abonnement von ${product} kündigen?`,
    lead: 'Das geschieht dann:',
    noCharges: 'Ab jetzt wird nichts mehr abgebucht.',
    noOrders: 'Wir senden Ihnen keine Bestellungen zum Bezahlen mehr.',
    access: (day) => `Sie behalten den Zugang bis zum ${day}.`,
    freeAccess: (day) => `Sie behalten den kostenlosen Zugang bis zum ${day} und zahlen nichts.`,
    paidAccess: (day) => `Der bezahlte Zugang: bis zum ${day}.`,
    underWay: 'Eine Zahlung, die schon unterwegs ist, kann noch gelingen. Sie haben dann auch diese Laufzeit.',
    restorable: 'Bis dahin können Sie es auf der Bestellseite wieder einschalten.',
    notRestorable: 'Es lässt sich später nicht wieder einschalten. Sie müssten das Produkt neu bestellen.',
    confirm: 'Abonnement kündigen',
    back: 'Abonnement behalten',
  },
  thanks: {
    title: 'So läuft es weiter',
    renews: (product, day, terms) =>
      `${product} verlängert sich von selbst. Die nächste Abbuchung ist am ${day}: ${terms}, bis Sie kündigen.`,
    trial: (product, end, day, terms) =>
      `${product} ist bis zum ${end} kostenlos. Die erste Abbuchung ist am ${day}: ${terms}, bis Sie kündigen.`,
    byHand: (product, end) =>
      `${product} ist bis zum ${end} bezahlt. Vorher senden wir Ihnen eine Bestellung zum Bezahlen. Von selbst wird nichts abgebucht.`,
    ends: (product, end) => `${product} ist bis zum ${end} bezahlt und verlängert sich nicht mehr.`,
    once: (product) => `${product} verlängert sich nicht von selbst: Sie haben eine einzelne Laufzeit gekauft.`,
    free: {
      paid: 'Ihre Karte ist hinterlegt, und es wurde nichts abgebucht. Wir bereiten Ihre Lizenz vor, sie erscheint gleich hier.',
      delivered: 'Ihre Karte ist hinterlegt, und es wurde nichts abgebucht. Ihre Bestellung ist vollständig.',
    },
    manage: 'Auf der Bestellseite ansehen oder kündigen',
  },
};
