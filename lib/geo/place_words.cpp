#include "geo/place_words.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace geotally::geo {
namespace {

// Words that say nothing about whether the rest is a place.
constexpr std::string_view kFillerWords[] = {
    "am",        "and",       "area",     "around",    "at",        "based",      "beach",
    "beautiful", "born",      "borough",  "by",        "capital",   "central",    "cidade",
    "city",      "ciudad",    "coastal",  "cold",      "county",    "currently",  "da",
    "de",        "del",       "district", "do",        "downtown",  "du",         "e",
    "east",      "eastern",   "eastside", "el",        "en",        "estado",     "et",
    "from",      "great",     "greater",  "home",      "i",         "im",         "in",
    "island",    "islands",   "kota",     "la",        "le",        "live",       "lives",
    "living",    "lovely",    "made",     "metro",     "moro",      "mostly",     "native",
    "near",      "new",       "norte",    "north",     "northeast", "northern",   "northside",
    "northwest", "now",       "of",       "old",       "on",        "originally", "outside",
    "province",  "provincia", "rainy",    "raised",    "region",    "republic",   "residing",
    "rural",     "side",      "south",    "southeast", "southern",  "southside",  "southwest",
    "st",        "state",     "suburb",   "suburbs",   "sul",       "sunny",      "sur",
    "the",       "to",        "town",     "township",  "und",       "upstate",    "usa",
    "via",       "ville",     "vivo",     "west",      "western",   "westside",   "y"};

// Words that make what follows or precedes someone's property rather than a place.
constexpr std::string_view kPersonalWords[] = {
    "arms", "army",  "bed", "bts",   "dein",  "exo",  "fan",   "harrys", "he",     "head", "heart",
    "her",  "him",   "his", "liams", "louis", "love", "loves", "ma",     "me",     "mein", "meu",
    "mi",   "minha", "mom", "moms",  "mon",   "mum",  "mums",  "my",     "nialls", "our",  "seu",
    "she",  "stan",  "su",  "sua",   "ta",    "teu",  "their", "them",   "they",   "ton",  "tu",
    "tua",  "u",     "ur",  "we",    "you",   "your", "zayns"};

// Words before a place in a description.
constexpr std::string_view kCueWords[] = {
    "a",       "at",   "aus",      "based", "born",   "dari",     "de",       "depuis", "di",
    "em",      "en",   "fra",      "fran",  "from",   "in",       "live",     "lives",  "living",
    "located", "moro", "native",   "near",  "raised", "resident", "residing", "stad",   "uit",
    "via",     "vivo", "wohnhaft", "à",     "в",      "во",       "из"};

// Where someone lives, in English, German, Dutch, the Scandinavian, Romance and Slavic languages,
// Finnish, Hungarian, Turkish, Indonesian, Greek, Lithuanian, Latvian;
constexpr std::string_view kResidenceWords[] = {
    "abita",       "abito",       "actualmente", "actuellement", "acum",         "adesso",
    "afincada",    "afincado",    "agora",       "ahora",        "aktuell",      "ansassig",
    "asun",        "asuu",        "attualmente", "atualmente",   "based",        "beheimatet",
    "berdomisili", "boende",      "bor",         "bosat",        "bosatt",       "bosiddende",
    "bydli",       "bydlim",      "byvam",       "currently",    "derzeit",      "desormais",
    "domisili",    "dzivoju",     "elek",        "establecida",  "establecido",  "etabli",
    "etablie",     "gyvenu",      "habitant",    "habite",       "habitons",     "ikamet",
    "installe",    "installee",   "inzwischen",  "jetzt",        "jhabite",      "lakom",
    "lebe",        "leben",       "lebend",      "lebt",         "leef",         "lever",
    "live",        "lives",       "living",      "locuiesc",     "maintenant",   "menetap",
    "mieszka",     "mieszkajaca", "mieszkajacy", "mieszkam",     "mittlerweile", "momenteel",
    "mora",        "morador",     "moradora",    "morando",      "moro",         "moved",
    "now",         "nun",         "nuvarande",   "nyni",         "obecnie",      "radicada",
    "radicado",    "radicando",   "radico",      "relocated",    "residant",     "reside",
    "resideixo",   "resident",    "residente",   "resides",      "residiendo",   "residindo",
    "residing",    "resido",      "sekarang",    "settled",      "staying",      "stays",
    "teraz",       "thans",       "tinggal",     "traiesc",      "trasferita",   "trasferito",
    "vis",         "visc",        "vivant",      "vive",         "vivemos",      "vivendo",
    "viviendo",    "vivo",        "wohne",       "wohnen",       "wohnend",      "wohnhaft",
    "wohnt",       "wonend",      "wonende",     "woon",         "woonachtig",   "woonplaats",
    "woont",       "yasiyor",     "yasiyorum",   "zije",         "zijem",        "ziju",
    "zuhause",     "zyje",        "ζω",          "κατοικω",      "μενω",         "живеем",
    "живем",       "живет",       "живея",       "живим",        "живу",         "жывем",
    "зараз",       "мешкаю",      "ныне",        "обитаю",       "переехал",     "переехала",
    "проживает",   "проживаю",    "сеичас",      "тепер",        "теперь"};

// and where he comes from.
constexpr std::string_view kOriginWords[] = {"afkomstig",    "anciennement",
                                             "antigamente",  "asal",
                                             "aslen",        "aufgewachsen",
                                             "aus",          "autrefois",
                                             "berasal",      "born",
                                             "cresciuta",    "cresciuto",
                                             "criada",       "criado",
                                             "dawniej",      "dogumlu",
                                             "dorigine",     "ehemals",
                                             "einst",        "ex",
                                             "fodd",         "fodt",
                                             "formerly",     "fra",
                                             "fran",         "from",
                                             "fruher",       "geb",
                                             "geboren",      "geborene",
                                             "geborener",    "gebuertig",
                                             "geburtig",     "gebürtig",
                                             "getogen",      "grew",
                                             "herkunft",     "hometown",
                                             "issu",         "issue",
                                             "jadis",        "kelahiran",
                                             "kom",          "komend",
                                             "komme",        "kommend",
                                             "kommer",       "kotoisin",
                                             "lahir",        "lahtoisin",
                                             "memleket",     "naci",
                                             "nacida",       "nacido",
                                             "narodena",     "narodeny",
                                             "narozen",      "narozena",
                                             "nascida",      "nascido",
                                             "nascuda",      "nascut",
                                             "nascuta",      "nata",
                                             "natif",        "nativa",
                                             "native",       "nativo",
                                             "nato",         "natural",
                                             "ne",           "nee",
                                             "once",         "oorspronkelijk",
                                             "opgegroeid",   "opprinnelig",
                                             "oppvokst",     "oprindelig",
                                             "opvokset",     "originaire",
                                             "originally",   "originar",
                                             "originara",    "originaria",
                                             "originario",   "origine",
                                             "oriunda",      "oriundo",
                                             "pochazim",     "pochodzaca",
                                             "pochodzacy",   "pochodze",
                                             "povodom",      "previously",
                                             "procedente",   "provengo",
                                             "puvodem",      "raised",
                                             "rodacka",      "rodak",
                                             "rodem",        "sou",
                                             "soy",          "stamme",
                                             "stammend",     "stammt",
                                             "syntynyt",     "szarmazom",
                                             "szulettem",    "uit",
                                             "uppvuxen",     "urodzilam",
                                             "urodzilem",    "urodzona",
                                             "urodzony",     "ursprungl",
                                             "ursprunglich", "ursprungligen",
                                             "vengo",        "venho",
                                             "via",          "viens",
                                             "vient",        "vim",
                                             "vinc",         "vroeger",
                                             "wurzeln",      "απο",
                                             "γεννημενη",    "γεννημενος",
                                             "καταγωγη",     "из",
                                             "корнями",      "народився",
                                             "народилася",   "походжу",
                                             "приехал",      "приехала",
                                             "раньше",       "роден",
                                             "родена",       "родилась",
                                             "родился",      "родом",
                                             "рожден",       "уроженец",
                                             "уроженка"};

// Slavic prepositions that decline what follows; the others mean other things, too.
constexpr std::string_view kCaseWords[] = {"в", "во", "из", "із", "изо", "под", "у"};
constexpr std::string_view kCaseBehindVerbWords[] = {"w",  "we", "z",  "ze", "v",  "ve", "u", "do",
                                                     "od", "na", "на", "с",  "со", "до", "з"};

struct List {
  std::span<const std::string_view> words;
  WordKinds kinds;
};
constexpr List kLists[] = {{kFillerWords, kFiller},
                           {kPersonalWords, kPersonal},
                           {kCueWords, kCue},
                           {kResidenceWords, kResidence},
                           {kOriginWords, kOrigin},
                           {kCaseWords, kCase},
                           {kCaseBehindVerbWords, kCaseBehindVerb}};

constexpr std::size_t kLongest = [] {
  std::size_t longest = 0;
  for (const List& list : kLists)
    for (const std::string_view word : list.words) longest = std::max(longest, word.size());
  return longest;
}();

// FNV-1a.
constexpr std::uint32_t hash(std::string_view word) {
  std::uint32_t value = 0x811c9dc5;
  for (const char c : word) value = (value ^ static_cast<unsigned char>(c)) * 0x01000193;
  return value ^ value >> 15;
}

// All lists in one table with open addressing.
struct Slot {
  std::string_view word;
  WordKinds kinds = 0;
};
constexpr std::size_t kSlots = 2048;
constexpr std::array<Slot, kSlots> kTable = [] {
  std::array<Slot, kSlots> table{};
  for (const List& list : kLists) {
    for (const std::string_view word : list.words) {
      std::size_t at = hash(word) % kSlots;
      while (!table[at].word.empty() && table[at].word != word) at = (at + 1) % kSlots;
      table[at].word = word;
      table[at].kinds = static_cast<WordKinds>(table[at].kinds | list.kinds);
    }
  }
  return table;
}();

}  // namespace

WordKinds kinds_of_word(std::string_view word) {
  if (word.size() > kLongest) return 0;
  for (std::size_t at = hash(word) % kSlots; !kTable[at].word.empty(); at = (at + 1) % kSlots) {
    if (kTable[at].word == word) return kTable[at].kinds;
  }
  return 0;
}

std::span<const Ending> endings() {
  // As the normalised form has them: й is и, ę is e.
  static constexpr Ending kEndings[] = {
      // Russian, Ukrainian
      {"ии", "ия"},
      {"ові", "ів"},
      {"єві", "ів"},
      {"ії", "ія"},
      {"ге", "га"},
      {"е", ""},
      {"е", "а"},
      {"е", "о"},
      {"и", "ь"},
      {"и", "а"},
      {"и", "я"},
      {"ы", "а"},
      {"а", ""},
      {"а", "о"},
      {"я", "ь"},
      {"я", "и"},
      {"я", "е"},
      {"і", "а"},
      {"і", ""},
      {"у", ""},
      // Polish, Czech, Slovak
      {"ze", "ha"},
      {"dze", "ga"},
      {"owie", "ow"},
      {"owa", "ow"},
      {"ie", "a"},
      {"ie", ""},
      {"iu", ""},
      {"ia", ""},
      {"u", ""},
      {"ji", "ja"},
      {"ii", "ia"},
      {"i", "a"},
      {"i", ""},
      {"y", "a"},
      {"ach", "e"},
      {"ach", "y"},
      {"e", "a"},
      {"e", "o"},
      {"e", ""},
      {"a", ""},
      {"a", "o"},
  };
  return kEndings;
}

// U+1F4CD 📍, 1F3E0 🏠, 1F3E1 🏡, 1F30D–F 🌍🌎🌏, 1F5FA 🗺, 1F4CC 📌.
bool ends_in_pin(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == ':')) text.remove_suffix(1);
  if (text.ends_with("\xef\xb8\x8f")) text.remove_suffix(3);
  for (const std::string_view pin :
       {"\xf0\x9f\x93\x8d", "\xf0\x9f\x8f\xa0", "\xf0\x9f\x8f\xa1", "\xf0\x9f\x93\x8c",
        "\xf0\x9f\x8c\x8d", "\xf0\x9f\x8c\x8e", "\xf0\x9f\x8c\x8f", "\xf0\x9f\x97\xba"}) {
    if (text.ends_with(pin)) return true;
  }
  return false;
}

}  // namespace geotally::geo
