import { renewalDe } from './de-renewal.ts';
import type { Linked, Words } from './en.ts';

const linked = (before: string, link: string, after: string): Linked => ({ before, link, after });

export const de: Words = {
  name: 'Deutsch',
  skip: 'Zum Inhalt springen',
  secure: 'Sichere Kasse',
  testMode: 'Testbetrieb. Es fließt kein echtes Geld.',
  steps: { label: 'Fortschritt', details: 'Angaben', payment: 'Zahlung', done: 'Fertig' },
  footer: { language: 'Sprache', terms: 'Verkaufsbedingungen', privacy: 'Datenschutz', support: 'Kundendienst' },
  newWindow: 'öffnet ein neues Fenster',

  checkout: {
    title: 'Kasse',
    titleWithErrors: (count) => `${count === 1 ? '1 Angabe' : `${count} Angaben`} zu berichtigen`,
    details: 'Ihre Angaben',
    detailsHint: 'Lizenz und Beleg gehen an diese E-Mail-Adresse.',
    payment: 'Zahlungsart',
    confirm: 'Bestellung bestätigen',
    optional: 'freiwillig',
    country: 'Land wählen',
    company: 'Kaufen Sie für eine Firma?',
    companyHint: 'Firmenname, Anschrift und USt-IdNr. für den Beleg',
    place: (sum) => `Zahlungspflichtig bestellen für ${sum}`,
    placeHint: 'Mit diesem Knopf bestellen Sie verbindlich. Sie bezahlen im nächsten Schritt.',
    terms: linked('Ich nehme die ', 'Verkaufsbedingungen', ' an.'),
    privacy: linked(
      'Ich willige ein, dass meine persönlichen Daten für diese Bestellung verarbeitet werden, wie die ',
      'Datenschutzerklärung',
      ' es beschreibt.',
    ),
    privacyPlain: 'Ich willige ein, dass meine persönlichen Daten für diese Bestellung verarbeitet werden.',
    termsPlain: 'Ich nehme die Verkaufsbedingungen des Verkäufers an.',
  },
  summary: {
    title: 'Ihre Bestellung',
    show: 'Bestellung anzeigen',
    total: 'Gesamtsumme',
    taxes: 'Alle Steuern sind enthalten.',
    quantity: 'Menge',
    quantityOf: (name) => `Menge von ${name}`,
    each: (sum) => `je ${sum}`,
    update: 'Ändern',
    remove: 'Entfernen',
    removeOf: (name) => `${name} entfernen`,
    currency: 'Währung',
    items: (count) => (count === 1 ? '1 Artikel' : `${count} Artikel`),
  },
  fields: {
    email: {
      label: 'E-Mail',
      required: 'Geben Sie Ihre E-Mail-Adresse ein.',
      invalid: 'Geben Sie eine E-Mail-Adresse wie name@example.com ein.',
    },
    first_name: {
      label: 'Vorname',
      required: 'Geben Sie Ihren Vornamen ein.',
      invalid: 'Dieser Vorname kann nicht verwendet werden.',
    },
    last_name: {
      label: 'Nachname',
      required: 'Geben Sie Ihren Nachnamen ein.',
      invalid: 'Dieser Nachname kann nicht verwendet werden.',
    },
    country: { label: 'Land', required: 'Wählen Sie Ihr Land.', invalid: 'Wählen Sie Ihr Land aus der Liste.' },
    company_name: {
      label: 'Firmenname',
      required: 'Geben Sie den Namen der Firma ein.',
      invalid: 'Dieser Firmenname kann nicht verwendet werden.',
    },
    company_billing_address: {
      label: 'Rechnungsanschrift',
      required: 'Geben Sie die Rechnungsanschrift ein.',
      invalid: 'Diese Rechnungsanschrift kann nicht verwendet werden.',
    },
    vat_number: {
      label: 'USt-IdNr.',
      required: 'Geben Sie die USt-IdNr. ein.',
      invalid: 'Prüfen Sie die USt-IdNr., zum Beispiel DE123456789.',
    },
    payment_method: {
      label: 'Zahlungsart',
      required: 'Wählen Sie eine Zahlungsart.',
      invalid: 'Wählen Sie eine der angezeigten Zahlungsarten.',
    },
    auto_renew: {
      label: 'Automatische Verlängerung',
      required: 'Stimmen Sie der automatischen Verlängerung zu, um den kostenlosen Test zu beginnen.',
      invalid: 'Stimmen Sie der automatischen Verlängerung zu, um den kostenlosen Test zu beginnen.',
    },
    terms_accepted: {
      label: 'Verkaufsbedingungen',
      required: 'Nehmen Sie die Verkaufsbedingungen an, um zu bestellen.',
      invalid: 'Nehmen Sie die Verkaufsbedingungen an, um zu bestellen.',
    },
    privacy_accepted: {
      label: 'Persönliche Daten',
      required: 'Willigen Sie in die Verarbeitung Ihrer Daten ein, um zu bestellen.',
      invalid: 'Willigen Sie in die Verarbeitung Ihrer Daten ein, um zu bestellen.',
    },
  },
  problems: {
    summary: 'Bitte berichtigen Sie das',
    errorPrefix: 'Fehler:',
    tooLong: (label) => `${label}: Der Text ist zu lang. Kürzen Sie ihn.`,
    cardNumber:
      'Das sieht wie eine Kartennummer aus. Geben Sie sie nie hier ein, nur auf der Seite des Zahlungsanbieters.',
    quantity: (min, max) => `Geben Sie eine ganze Zahl von ${min} bis ${max} ein.`,
    quantityPlain: 'Geben Sie eine ganze Zahl ein, die verkauft wird.',
    cartChanged:
      'Ihr Warenkorb hat sich geändert, seit Sie diese Seite gesehen haben. So sieht er jetzt aus. Bitte prüfen Sie ihn und bestellen Sie noch einmal.',
    cartUpdated: 'Der Warenkorb ist geändert. Bitte prüfen Sie die neue Summe und bestellen Sie dann.',
    codeNotValid: 'Der Code im Link gilt nicht. Der Preis ist unverändert.',
    tryAgain:
      'Ein Teil des Shops war gerade nicht zu erreichen. Es wurde nichts bestellt und kein Geld abgebucht. Bitte versuchen Sie es noch einmal.',
    notAvailable:
      'Ein Produkt in Ihrem Warenkorb wird nicht mehr verkauft und wurde entfernt. Bitte prüfen Sie die neue Summe und bestellen Sie dann.',
    currency: 'Nicht alles in Ihrem Warenkorb hat einen Preis in dieser Währung. Der Warenkorb ist unverändert.',
    unexpected: 'Das konnte nicht angenommen werden. Bitte prüfen Sie Ihre Angaben.',
  },

  linkRefused: {
    product_not_found: {
      title: 'Dieses Produkt gibt es nicht',
      text: 'Der Link ist vielleicht unvollständig oder veraltet. Es wurde nichts in Ihren Warenkorb gelegt.',
    },
    product_not_available: {
      title: 'Dieses Produkt wird nicht verkauft',
      text: 'Der Verkäufer hat es aus dem Angebot genommen. Ihr Warenkorb ist unverändert.',
    },
    currency_not_supported: {
      title: 'In dieser Währung gibt es keinen Preis',
      text: 'Das Produkt wird nicht in der Währung verkauft, die der Link verlangt. Ihr Warenkorb ist unverändert.',
    },
    quantity_out_of_range: {
      title: 'Diese Menge ist nicht möglich',
      text: 'Der Link verlangt eine Menge, die nicht verkauft wird. Ihr Warenkorb ist unverändert.',
    },
    too_many_items: {
      title: 'Ihr Warenkorb ist voll',
      text: 'Er enthält so viele verschiedene Produkte, wie er aufnehmen kann. Ihr Warenkorb ist unverändert.',
    },
    invalid_field: {
      title: 'Dieser Link kann nicht verwendet werden',
      text: 'Etwas, das der Link für den Verkäufer enthält, ist zu lang oder nicht erlaubt. Ihr Warenkorb ist unverändert.',
    },
    card_number_refused: {
      title: 'Dieser Link enthält eine Kartennummer',
      text: 'Kartendaten werden nur auf der Seite des Zahlungsanbieters eingegeben. Nichts davon wurde gespeichert, und Ihr Warenkorb ist unverändert.',
    },
  },
  backToCart: 'Zurück zum Warenkorb',

  cartEmpty: {
    title: 'Ihr Warenkorb ist leer',
    text: 'Gehen Sie zurück zum Shop und wählen Sie ein Produkt. Sein Link führt Sie wieder hierher.',
  },
  cartGone: {
    title: 'Wir finden diesen Warenkorb nicht',
    text: 'Er ist vielleicht zu alt, oder der Link ist unvollständig. Gehen Sie zurück zum Shop und wählen Sie das Produkt noch einmal.',
  },
  cartOrdered: {
    title: 'Dieser Warenkorb ist schon bestellt',
    text: (order) => `Aus ihm wurde die Bestellung ${order}. Sie müssen nicht noch einmal bestellen.`,
    link: 'Zu Ihrer Bestellung',
  },

  renewal: renewalDe,

  pay: {
    title: (order) => `Bestellung ${order} bezahlen`,
    lead: 'Ihre Bestellung ist aufgegeben. Ein Schritt fehlt noch: die Zahlung.',
    button: (sum) => `Bezahlen mit Karte: ${sum}`,
    hint: 'Sie gelangen zur Seite des Zahlungsanbieters, geben dort Ihre Karte ein und kommen hierher zurück.',
    waiting: {
      title: 'Wir verbinden Sie mit der Zahlungsseite',
      text: 'Das dauert einige Sekunden. Die Seite geht von selbst weiter.',
    },
    checkAgain: 'Jetzt nachsehen',
    unresolved: {
      title: 'Wir wissen noch nicht, ob Ihre letzte Zahlung gelungen ist',
      text: 'Bitte zahlen Sie nicht noch einmal. Wir fragen beim Zahlungsanbieter nach und schreiben Ihnen, sobald wir es wissen.',
    },
    tryAgain:
      'Der Zahlungsanbieter war gerade nicht zu erreichen. Es wurde kein Geld abgebucht. Bitte versuchen Sie es noch einmal.',
    methodGone:
      'Diese Zahlungsart ist gerade nicht verfügbar. Bitte versuchen Sie es noch einmal oder schreiben Sie dem Kundendienst.',
    ready: 'Ihre Karte wird einmal belastet. Sie können es mit derselben Bestellung so oft versuchen, wie Sie möchten.',
  },
  reasons: {
    card_declined: 'Ihre Bank hat die Karte abgelehnt.',
    insufficient_funds: 'Ihre Bank hat die Zahlung abgelehnt: Die Karte ist nicht ausreichend gedeckt.',
    authentication_failed: 'Die Bestätigung bei Ihrer Bank ist nicht gelungen, deshalb wurde die Zahlung abgelehnt.',
    expired_card: 'Die Karte ist abgelaufen, deshalb wurde die Zahlung abgelehnt.',
    provider_error: 'Der Zahlungsanbieter konnte die Zahlung nicht ausführen.',
    other: 'Die Zahlung ist nicht gelungen.',
  },
  moneyMoved: {
    no: 'Es wurde kein Geld abgebucht.',
    yes: 'Es wurde Geld abgebucht. Wir melden uns deswegen bei Ihnen.',
    unknown: 'Wir wissen noch nicht, ob Geld abgebucht wurde. Bitte zahlen Sie vorerst nicht noch einmal.',
  },

  thanks: {
    paid: {
      title: 'Vielen Dank!',
      text: 'Die Zahlung ist angekommen. Wir bereiten Ihre Lizenz vor, sie erscheint gleich hier.',
    },
    delivered: {
      title: 'Vielen Dank! Hier ist Ihre Lizenz',
      text: 'Die Zahlung ist angekommen und Ihre Bestellung ist vollständig.',
    },
    deliveredElsewhere: {
      title: 'Vielen Dank!',
      text: 'Die Zahlung ist angekommen und Ihre Bestellung ist vollständig. Ihre Lizenz ist auf dem Weg zu Ihnen.',
    },
    confirming: {
      title: 'Ihre Zahlung ist angekommen',
      text: 'Wir tragen sie in Ihre Bestellung ein. Das dauert einige Sekunden.',
    },
    checking: {
      title: 'Ihre Zahlung wird geprüft',
      text: 'Die Bank braucht etwas länger. Bitte zahlen Sie vorerst nicht noch einmal. Sie können diese Seite schließen: Wir schreiben Ihnen, sobald es so weit ist.',
    },
    unknown: {
      title: 'Wir wissen noch nicht, ob Ihre Zahlung gelungen ist',
      text: 'Bitte zahlen Sie nicht noch einmal. Wir fragen beim Zahlungsanbieter nach und schreiben Ihnen, sobald wir es wissen. Sie können diese Seite schließen.',
    },
    unfinished: {
      title: 'Ihre Bestellung ist noch nicht bezahlt',
      text: 'Sie sind zurückgekommen, bevor die Zahlung fertig war. Ihre Bestellung bleibt bestehen, Sie können jederzeit weitermachen.',
    },
    unpaid: {
      title: 'Ihre Bestellung ist noch nicht bezahlt',
      text: 'Ihre Bestellung bleibt bestehen. Sie können jederzeit bezahlen.',
    },
    failed: {
      title: 'Die Zahlung ist nicht gelungen',
      text: 'Ihre Bestellung bleibt bestehen. Sie können es noch einmal versuchen, mit dieser Karte oder mit einer anderen.',
    },
    expired: {
      title: 'Die Zeit zum Bezahlen ist abgelaufen',
      text: 'Die Zahlungsseite war zu lange offen und die Zahlung wurde geschlossen. Ihre Bestellung bleibt bestehen, Sie können neu beginnen.',
    },
    withdrawn: {
      title: 'Der Verkäufer hat diese Zahlung zurückgezogen',
      text: 'Der Verkäufer hat die Zahlung geschlossen, bevor Sie sie freigegeben hatten. Ihre Bestellung bleibt bestehen. Sie können eine neue Zahlung beginnen oder den Verkäufer nach dem Grund fragen.',
    },
    deleted: {
      title: 'Diese Bestellung wurde gelöscht',
      text: 'Sie kann nicht mehr bezahlt werden. Wenn Sie das Produkt noch möchten, bestellen Sie bitte neu.',
    },
    whatNext: 'Wie es weitergeht',
    nextMail: (email) => `Wir senden die Zahlungsbestätigung und Ihre Lizenz an ${email}.`,
    nextMailPlain: 'Wir senden die Zahlungsbestätigung und Ihre Lizenz an Ihre E-Mail-Adresse.',
    nextPage: 'Die Bestellseite bewahrt alles auf. Behalten Sie ihren Link: Er öffnet sie ohne Passwort.',
    nextSpam: 'Nach zehn Minuten nichts da? Sehen Sie im Spam-Ordner nach oder schreiben Sie dem Kundendienst.',
    orderPage: 'Zur Bestellseite',
    retry: 'Noch einmal versuchen',
    goOn: 'Weiter zur Zahlung',
    waiting: 'Diese Seite aktualisiert sich von selbst.',
    updated: 'Die Seite wurde aktualisiert.',
  },
  order: {
    title: (order) => `Bestellung ${order}`,
    placed: 'Bestellt',
    paid: 'Bezahlt',
    items: 'Artikel',
    payment: 'Zahlung',
    state: 'Stand',
    states: {
      unpaid: 'Nicht bezahlt',
      paid: 'Bezahlt',
      deleted: 'Gelöscht',
      delivered: 'Geliefert',
      preparing: 'In Vorbereitung',
    },
    licences: (count) => (count === 1 ? 'Lizenzcode' : `${count} Lizenzcodes`),
    licencePreparing: 'Die Lizenz wird vorbereitet. Sie erscheint hier, und wir senden sie Ihnen per E-Mail.',
    licenceByMail: 'Die Lizenz wurde per E-Mail gesendet.',
    licenceAfterPayment: 'Die Lizenz erscheint hier nach der Zahlung.',
    licencePrivate: 'Ein Lizenzcode ist wie Geld. Teilen Sie diese Seite mit niemandem.',
    copy: 'Kopieren',
    copyOf: (code) => `Code ${code} kopieren`,
    copied: 'Kopiert',
    cardEnding: (card, last4) => `${card} mit den Endziffern ${last4}`,
    card: 'Karte',
    method: 'Zahlungsart',
    paymentStates: {
      created: 'Begonnen',
      seen: 'Begonnen',
      processing: 'Wird geprüft',
      confirmed: 'Wird geprüft',
      booked: 'Bezahlt',
      failed: 'Nicht gelungen',
      expired: 'Zeit abgelaufen',
      withdrawn: 'Vom Verkäufer zurückgezogen',
      processing_expired: 'Wird geprüft',
      none: 'Nicht begonnen',
    },
    payNow: 'Jetzt bezahlen',
    help: 'Fragen zu dieser Bestellung?',
    helpText: (order) => `Bitte nennen Sie die Bestellung ${order}, wenn Sie uns schreiben.`,
  },

  notFound: {
    title: 'Wir finden diese Seite nicht',
    text: 'Der Link ist vielleicht unvollständig oder veraltet. Bitte öffnen Sie ihn noch einmal aus der E-Mail oder dem Shop.',
  },
  failed: {
    title: 'Bei uns ist etwas schiefgegangen',
    text: 'Es wurde aufgezeichnet. Bitte versuchen Sie es gleich noch einmal. Was Sie bestellt und bezahlt haben, ist sicher.',
    reference: 'Kennung',
  },
  unavailable: {
    title: 'Ein Teil des Shops antwortet nicht',
    text: 'Bitte versuchen Sie es gleich noch einmal. Was Sie bestellt und bezahlt haben, ist sicher.',
    again: 'Noch einmal versuchen',
  },
  tooManyRequests: {
    title: 'Das war etwas schnell',
    text: 'Bitte warten Sie einige Sekunden und versuchen Sie es dann noch einmal.',
  },
  tooLarge: {
    title: 'Das war zu viel',
    text: 'Das Formular war größer, als wir annehmen können. Bitte gehen Sie zurück und kürzen Sie Ihre Angaben.',
  },
  foreignForm: {
    title: 'Dieses Formular kam von einer anderen Website',
    text: 'Zu Ihrer Sicherheit wurde es nicht angenommen. Bitte öffnen Sie die Seite hier und versuchen Sie es noch einmal.',
  },
};
