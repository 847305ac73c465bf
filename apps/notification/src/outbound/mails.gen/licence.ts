// Generated from mails/licence.mjml by scripts/generate-mails.ts. Do not edit.
export interface LicenceValues {
  readonly button: string;
  readonly greeting: string;
  readonly heading: string;
  readonly intro: string;
  readonly keep: string;
  readonly lang: string;
  readonly orderLine: string;
  readonly orderUrl: string;
  readonly preheader: string;
  readonly shopName: string;
  readonly subject: string;
  readonly support: string;
  readonly codes: readonly { readonly code: string }[];
  readonly notes: readonly { readonly line: string }[];
}

/** Every value goes through `escape`. */
export function fillLicence(values: LicenceValues, escape: (text: string) => string): string {
  return (
    '' +
    "<!doctype html><html lang=\"" +
    escape(values.lang) +
    "\" dir=\"auto\" xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><title>" +
    escape(values.subject) +
    "</title><!--[if !mso]><!--><meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\"><!--<![endif]--><meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style type=\"text/css\"> #outlook a { padding:0; } body { margin:0;padding:0;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%; } table, td { border-collapse:collapse;mso-table-lspace:0pt;mso-table-rspace:0pt; } img { border:0;height:auto;line-height:100%; outline:none;text-decoration:none;-ms-interpolation-mode:bicubic; } p { display:block;margin:13px 0; } </style><!--[if mso]><noscript><xml><o:OfficeDocumentSettings><o:AllowPNG/><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml></noscript><![endif]--><!--[if lte mso 11]><style type=\"text/css\"> .mj-outlook-group-fix { width:100% !important; } </style><![endif]--><style type=\"text/css\"> @media only screen and (min-width:480px) { .mj-column-per-100 { width:100% !important; max-width: 100%; } } </style><style media=\"screen and (min-width:480px)\"> .moz-text-html .mj-column-per-100 { width:100% !important; max-width: 100%; } </style><style type=\"text/css\"> :root { color-scheme: light dark; supported-color-schemes: light dark; } @media (max-width: 420px) { .label, .value { display: block !important; text-align: start !important; } .label { padding-bottom: 0 !important; } .value { padding-top: 0 !important; } } @media (prefers-color-scheme: dark) { body, body > div, .ground, .ground > table { background-color: #14181d !important; } .card, .card > table { background-color: #1c2229 !important; } .card div, .card td, .card th, .card h1 { color: #e8ebef !important; } .soft, .soft div, .card .soft, .card .soft div, .card .soft td { color: #a3acb9 !important; } .line, .divider p { border-color: #343c47 !important; } .code { background-color: #14181d !important; border-color: #343c47 !important; } .callout { background-color: #1d2c3d !important; border-color: #7db8f5 !important; } .button a, .button p { color: #ffffff !important; } a { color: #7db8f5 !important; } } </style><meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\"></head><body  style=\"word-spacing:normal;background-color:#f5f6f8;\"><div style=\"display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;\">" +
    escape(values.preheader) +
    "</div><div aria-label=\"" +
    escape(values.subject) +
    "\" aria-roledescription=\"email\" role=\"article\" lang=\"" +
    escape(values.lang) +
    "\" dir=\"auto\" style=\"word-spacing:normal;background-color:#f5f6f8;\" ><!--[if mso | IE]><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" class=\"ground-outlook\" role=\"presentation\" style=\"width:600px;\" width=\"600\" ><tr><td style=\"line-height:0px;font-size:0px;mso-line-height-rule:exactly;\"><![endif]--><div  class=\"ground\" style=\"margin:0px auto;max-width:600px;\"><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"width:100%;\" ><tbody><tr><td style=\"direction:ltr;font-size:0px;padding:28px 0 14px;text-align:center;\" ><!--[if mso | IE]><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\"><tr><td class=\"\" style=\"vertical-align:top;width:600px;\" ><![endif]--><div class=\"mj-column-per-100 mj-outlook-group-fix\" style=\"font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;\" ><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" width=\"100%\" ><tbody><tr><td  style=\"vertical-align:top;padding:0;\"><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"\" width=\"100%\" ><tbody><tr><td align=\"left\" class=\"soft\" style=\"font-size:0px;padding:0 32px;word-break:break-word;\" ><div style=\"font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:14px;font-weight:600;line-height:1.6;text-align:left;color:#5c6675;\" ><span dir=\"auto\">" +
    escape(values.shopName) +
    "</span></div></td></tr></tbody></table></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" class=\"card-outlook\" role=\"presentation\" style=\"width:600px;\" width=\"600\" bgcolor=\"#ffffff\" ><tr><td style=\"line-height:0px;font-size:0px;mso-line-height-rule:exactly;\"><![endif]--><div  class=\"card\" style=\"background:#ffffff;background-color:#ffffff;margin:0px auto;max-width:600px;border-radius:12px;overflow:hidden;\"><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"background:#ffffff;background-color:#ffffff;width:100%;border-collapse:separate;\" ><tbody><tr><td style=\"border-radius:12px;direction:ltr;font-size:0px;padding:32px 0;text-align:center;\" ><!--[if mso | IE]><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\"><tr><td class=\"\" style=\"vertical-align:top;width:600px;\" ><![endif]--><div class=\"mj-column-per-100 mj-outlook-group-fix\" style=\"font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;\" ><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" width=\"100%\" ><tbody><tr><td  style=\"vertical-align:top;padding:0;\"><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"\" width=\"100%\" ><tbody><tr><td align=\"left\" style=\"font-size:0px;padding:0 32px;word-break:break-word;\" ><div style=\"font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:26px;font-weight:700;line-height:1.25;text-align:left;color:#1d2430;\" ><h1 style=\"margin: 0; font-size: 26px; line-height: 1.25\">" +
    escape(values.heading) +
    "</h1></div></td></tr><tr><td align=\"left\" style=\"font-size:0px;padding:14px 32px 18px;word-break:break-word;\" ><div style=\"font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:16px;line-height:1.6;text-align:left;color:#1d2430;\" ><p dir=\"auto\" style=\"margin: 0 0 8px\">" +
    escape(values.greeting) +
    "</p><p dir=\"auto\" style=\"margin: 0\">" +
    escape(values.intro) +
    "</p></div></td></tr><tr><td align=\"left\" style=\"font-size:0px;padding:0 32px 18px;word-break:break-word;\" ><table cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" border=\"0\" style=\"color:#1d2430;font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:15px;line-height:1.5;table-layout:auto;width:100%;border:none;\" >" +
    values.codes.map((codes) => '' +
    "<tr><td style=\"padding: 0 0 8px\"><div class=\"code\" style=\" font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Courier New', monospace; font-size: 17px; line-height: 1.5; background-color: #f5f6f8; border: 1px solid #e3e6eb; border-radius: 8px; padding: 12px 16px; overflow-wrap: anywhere; word-break: break-word; \" > " +
    escape(codes.code) +
    " </div></td></tr>").join('') +
    "</table></td></tr><tr><td align=\"left\" class=\"button\" style=\"font-size:0px;padding:0 32px;word-break:break-word;\" ><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"border-collapse:separate;line-height:100%;\" ><tbody><tr><td align=\"center\" bgcolor=\"#0b5cad\" role=\"presentation\" style=\"border:none;border-radius:8px;cursor:auto;mso-padding-alt:13px 26px;background:#0b5cad;\" valign=\"middle\" ><a href=\"" +
    escape(values.orderUrl) +
    "\" style=\"display:inline-block;background:#0b5cad;color:#ffffff;font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:16px;font-weight:600;line-height:120%;margin:0;text-decoration:none;text-transform:none;padding:13px 26px;mso-padding-alt:0px;border-radius:8px;\" target=\"_blank\" > " +
    escape(values.button) +
    " </a></td></tr></tbody></table></td></tr><tr><td align=\"left\" class=\"soft\" style=\"font-size:0px;padding:20px 32px 0;word-break:break-word;\" ><div style=\"font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:14px;line-height:1.6;text-align:left;color:#5c6675;\" ><p style=\"margin: 0 0 6px\">" +
    escape(values.orderLine) +
    "</p><p style=\"margin: 0\">" +
    escape(values.keep) +
    "</p></div></td></tr></tbody></table></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" class=\"ground-outlook\" role=\"presentation\" style=\"width:600px;\" width=\"600\" ><tr><td style=\"line-height:0px;font-size:0px;mso-line-height-rule:exactly;\"><![endif]--><div  class=\"ground\" style=\"margin:0px auto;max-width:600px;\"><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"width:100%;\" ><tbody><tr><td style=\"direction:ltr;font-size:0px;padding:18px 0 32px;text-align:center;\" ><!--[if mso | IE]><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\"><tr><td class=\"\" style=\"vertical-align:top;width:600px;\" ><![endif]--><div class=\"mj-column-per-100 mj-outlook-group-fix\" style=\"font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;\" ><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" width=\"100%\" ><tbody><tr><td  style=\"vertical-align:top;padding:0;\"><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" role=\"presentation\" style=\"\" width=\"100%\" ><tbody><tr><td align=\"left\" class=\"soft\" style=\"font-size:0px;padding:0 32px;word-break:break-word;\" ><div style=\"font-family:-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;font-size:14px;line-height:1.6;text-align:left;color:#5c6675;\" >" +
    values.notes.map((notes) => '' +
    "<p dir=\"auto\" style=\"margin: 0 0 6px\">" +
    escape(notes.line) +
    "</p>").join('') +
    "<p style=\"margin: 0\">" +
    escape(values.support) +
    "</p></div></td></tr></tbody></table></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--></div></body></html>"
  );
}
