#include "geo/place_words.h"

#include <algorithm>
#include <array>

namespace geotally::geo {
namespace {

template <std::size_t N>
constexpr std::array<std::string_view, N> sorted(std::array<std::string_view, N> words) {
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace

// Words that say nothing about whether the rest is a place.
constexpr auto kFillerWords = sorted(std::to_array<std::string_view>(
    {"and",       "area",       "around",    "based",     "born",      "borough",   "capital",
     "central",   "city",       "cidade",    "ciudad",    "county",    "currently", "de",
     "del",       "district",   "do",        "da",        "du",        "the",       "downtown",
     "east",      "eastern",    "el",        "en",        "et",        "e",         "from",
     "greater",   "great",      "in",        "island",    "kota",      "la",        "le",
     "live",      "lives",      "living",    "metro",     "mostly",    "near",      "north",
     "northern",  "norte",      "of",        "outside",   "province",  "raised",    "region",
     "republic",  "originally", "south",     "southern",  "state",     "suburb",    "suburbs",
     "sunny",     "sul",        "sur",       "to",        "town",      "upstate",   "via",
     "ville",     "west",       "western",   "y",         "und",       "vivo",      "moro",
     "now",       "provincia",  "estado",    "residing",  "native",    "made",      "northwest",
     "northeast", "southeast",  "southwest", "rural",     "coastal",   "beautiful", "lovely",
     "rainy",     "cold",       "old",       "new",       "st",        "islands",   "home",
     "i",         "am",         "im",        "at",        "by",        "on",        "beach",
     "side",      "westside",   "eastside",  "northside", "southside", "township",  "usa"}));
bool is_filler(std::string_view word) {
  return std::binary_search(kFillerWords.begin(), kFillerWords.end(), word);
}

// Words that make what follows or precedes someone's property rather than a place.
constexpr auto kPersonalWords = sorted(std::to_array<std::string_view>(
    {"my",    "your", "ur",     "his",    "her",   "our",   "their", "mi",  "tu",   "su",   "meu",
     "minha", "seu",  "sua",    "teu",    "tua",   "mon",   "ma",    "ton", "ta",   "mein", "dein",
     "you",   "me",   "she",    "he",     "they",  "him",   "them",  "we",  "u",    "love", "loves",
     "heart", "army", "stan",   "fan",    "bts",   "exo",   "mum",   "mom", "mums", "moms", "head",
     "arms",  "bed",  "harrys", "nialls", "liams", "louis", "zayns"}));
bool is_personal(std::string_view word) {
  return std::binary_search(kPersonalWords.begin(), kPersonalWords.end(), word);
}

// Words before a place in a description.
constexpr auto kCueWords = sorted(std::to_array<std::string_view>(
    {"in",      "from",     "based",    "living", "live", "lives", "near", "born",
     "em",      "en",       "de",       "vivo",   "moro", "aus",   "dari", "di",
     "located", "residing", "resident", "native", "via",  "à",     "a",    "wohnhaft",
     "raised",  "at",       "depuis",   "stad",   "из"}));
bool is_cue(std::string_view word) {
  return std::binary_search(kCueWords.begin(), kCueWords.end(), word);
}

constexpr auto kResidenceWords = sorted(std::to_array<std::string_view>(
    {"based",    "living", "live",   "lives",   "residing", "resident", "resides",  "currently",
     "now",      "vivo",   "moro",   "morando", "viviendo", "radicado", "radicada", "wohne",
     "wohnhaft", "lebe",   "habite", "vis",     "tinggal",  "vivendo",  "woon",     "bor"}));
bool is_residence(std::string_view word) {
  return std::binary_search(kResidenceWords.begin(), kResidenceWords.end(), word);
}

constexpr auto kOriginWords = sorted(std::to_array<std::string_view>(
    {"from",       "born",     "originally", "raised",    "native",  "via",        "ex",
     "formerly",   "hometown", "nacido",     "nacida",    "nascido", "nascida",    "nato",
     "nata",       "ne",       "nee",        "geboren",   "asal",    "previously", "once",
     "originario", "oriundo",  "oriunda",    "originaire"}));
bool is_origin(std::string_view word) {
  return std::binary_search(kOriginWords.begin(), kOriginWords.end(), word);
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
