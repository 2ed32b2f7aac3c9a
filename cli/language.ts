/** In which language a person is spoken to. */
import type { Language } from '../lib/language.ts';

/** `--lang`, else what the terminal's locale says (POSIX: LC_ALL before LC_MESSAGES before LANG): Chinese, or English. */
export function languageFor(option: string | undefined, env: NodeJS.ProcessEnv): Language {
  const wanted = option ?? (env.LC_ALL || env.LC_MESSAGES || env.LANG || '');
  return /^zh\b|^zh_/i.test(wanted) ? 'zh' : 'en';
}
