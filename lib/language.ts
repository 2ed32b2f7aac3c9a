/** The two languages of what officers read. */
export type Language = 'zh' | 'en';

/** `中文 · English`, each half whole. */
const both = /^([^·]*\p{Script=Han}[^·]*) · (.+)$/su;

/**
 * One half of a text that is written in both languages, `中文 · English`, as messages for officers are: so it stays one
 * text in logs, in workflow histories and between processes. A text in one language is itself.
 */
export function inLanguage(text: string, language: Language): string {
  const [, zh, en] = both.exec(text) ?? [];
  if (zh === undefined || en === undefined) return text;
  return language === 'zh' ? zh : en;
}
