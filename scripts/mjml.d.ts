// The little of mjml that generate-mails.ts uses; the package has no types.
declare module 'mjml' {
  export default function mjml2html(
    source: string,
    options: {
      filePath: string;
      ignoreIncludes: boolean;
      validationLevel: 'strict' | 'soft';
      fonts: Readonly<Record<string, string>>;
    },
  ): Promise<{ html: string; errors: { formattedMessage: string }[] }>;
}
