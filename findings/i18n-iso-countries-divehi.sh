#!/usr/bin/env bash
# i18n-iso-countries 7.14.0 (npm): names that do not lead back to their own country.
#
# A good guess: getAlpha2Code(getName(code, lang), lang) is `code`. In Divehi it is not for three
# countries, because the language's file gives two countries one name each time: Malaysia's name
# stands for Malawi, too, Mongolia's for Monaco and Morocco's for Montserrat, and the look-up takes the
# first. In Portuguese and Albanian both halves of Saint Martin bear one name, which is no slip but has
# the same effect. Who looks countries up by name has to leave out what names two.
#
# Output seen on 29 November 2026, with Node.js 20.20:
#   dv MA -> MS
#   dv MN -> MC
#   dv MY -> MW
#   pt SX -> MF
#   sq SX -> MF
# Exits with 1 when the output is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund i18n-iso-countries@7.14.0 >/dev/null
cat > look.js <<'JS'
const countries = require('i18n-iso-countries');
const fs = require('fs');
const path = require('path');
const folder = path.join(path.dirname(require.resolve('i18n-iso-countries/package.json')), 'langs');
const lines = [];
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const language = require(path.join(folder, file));
  countries.registerLocale(language);
  for (const code of Object.keys(countries.getAlpha2Codes())) {
    const name = countries.getName(code, language.locale);
    const back = name && countries.getAlpha2Code(name, language.locale);
    if (name && back !== code) lines.push(`${language.locale} ${code} -> ${back}`);
  }
}
console.log(lines.sort().join('\n'));
JS
seen=$(node look.js)
echo "$seen"
expected='dv MA -> MS
dv MN -> MC
dv MY -> MW
pt SX -> MF
sq SX -> MF'
[ "$seen" = "$expected" ] || { echo "this changed" >&2; exit 1; }
