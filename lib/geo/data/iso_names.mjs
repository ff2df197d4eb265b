// Official names of countries, in many languages: what CLDR, which has display names, lacks.
// Sources: npm i18n-iso-countries, and Debian's iso-codes as installed.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sourcePath } from './fetch.mjs';

/** The messages of a catalogue of GNU gettext, by what they translate. */
function translations(path) {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0x950412de) throw new Error(`${path}: no catalogue of messages`);
  const [count, originals, translated] = [8, 12, 16].map((at) => file.readUInt32LE(at));
  const text = (table, i) => {
    const [size, at] = [file.readUInt32LE(table + 8 * i), file.readUInt32LE(table + 8 * i + 4)];
    return file.toString('utf8', at, at + size);
  };
  return new Map(Array.from({ length: count }, (_, i) => [text(originals, i), text(translated, i)]));
}

/** Every name as { code, name, locale }. */
export function isoNames(cache) {
  const names = [];
  const languages = join(sourcePath(cache, 'i18n-iso-countries'), 'langs');
  for (const file of readdirSync(languages)) {
    const { locale, countries } = JSON.parse(readFileSync(join(languages, file)));
    for (const [code, name] of Object.entries(countries))
      for (const one of [name].flat()) names.push({ code, name: one, locale });
  }
  const entries = JSON.parse(readFileSync('/usr/share/iso-codes/json/iso_3166-1.json'))['3166-1'];
  const root = '/usr/share/locale';
  const catalogues = readdirSync(root).map((locale) => [locale.split(/[_@]/)[0], join(root, locale, 'LC_MESSAGES', 'iso_3166-1.mo')])
    .filter(([, path]) => existsSync(path)).map(([locale, path]) => [locale, translations(path)]);
  for (const { alpha_2: code, name, official_name: official, common_name: common } of entries) {
    for (const original of [name, official, common].filter(Boolean)) {
      names.push({ code, name: original, locale: 'en' });
      for (const [locale, messages] of catalogues)
        if (messages.get(original)) names.push({ code, name: messages.get(original), locale });
    }
  }
  return names;
}
