#include "study/wording.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace geotally::study {
namespace {

constexpr std::string_view kThinSpace = "\u202f";

bool one_of(Country country, std::string_view codes) {
  return codes.find(country.code()) != std::string_view::npos;
}

// English: plurals, and names made of a common noun.
constexpr std::string_view kThe = "AE BS CF CZ DO GB GM KM MV NL PH US BQ IM TF UM";
// French. By the first word of the name, a final "e" is feminine; these are not as they look.
constexpr std::string_view kPlural = "US NL PH AE BS MV SC KM FJ TO WS BM PS BQ TF";
constexpr std::string_view kMasculine = "GB MX MZ KH ZW BZ";
constexpr std::string_view kFeminine = "SL HK MO";
constexpr std::string_view kNoArticle =
    "AD AG AI AW BH BL CU CW CY DJ GG GI GU HT IL JE KI KN LC MC MF MG MS MT MU NR NU OM PM PR RE "
    "SG SH SM ST SX TT TV TW VC WF YT IM";

bool plural(Country country) {
  return one_of(country, kPlural) || country.name_fr().starts_with("Îles");
}

bool begins_with_vowel(std::string_view name) {
  constexpr std::array<std::string_view, 8> kVowels = {"A", "E", "I", "O", "U", "É", "Î", "Å"};
  return std::ranges::any_of(kVowels, [&](std::string_view v) { return name.starts_with(v); });
}

std::string the_in_french(Country country) {
  const std::string name(country.name_fr());
  if (one_of(country, kNoArticle)) return name;
  if (plural(country)) return "les " + name;
  if (begins_with_vowel(name)) return "l’" + name;
  const bool final_e = name.substr(0, name.find_first_of(" -")).ends_with('e') ||
                       name.substr(0, name.find_first_of(" -")).ends_with("é");
  const bool feminine = one_of(country, kFeminine) || (final_e && !one_of(country, kMasculine));
  return (feminine ? "la " : "le ") + name;
}

}  // namespace

std::string Wording::number(std::uint64_t value) const {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, of(",", kThinSpace));
  return text;
}

std::string Wording::percent(double share) const {
  std::string text = fmt::format("{:.1f}", share * 100);
  if (!french_) return text + '%';
  std::ranges::replace(text, '.', ',');
  return text + std::string(kThinSpace) + '%';
}

std::string Wording::change(double share) const {
  return (share < 0 ? "−" : "+") + percent(std::abs(share));
}

std::string Wording::date(std::int32_t day) const {
  constexpr std::array<std::string_view, 12> kEnglish = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  constexpr std::array<std::string_view, 12> kFrench = {
      "janvier", "février", "mars",      "avril",   "mai",      "juin",
      "juillet", "août",    "septembre", "octobre", "novembre", "décembre"};
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  const auto month = static_cast<unsigned>(date.month()) - 1;
  const auto number = static_cast<unsigned>(date.day());
  return fmt::format("{}{} {} {}", number, french_ && number == 1 ? "er" : "",
                     french_ ? kFrench[month] : kEnglish[month], static_cast<int>(date.year()));
}

std::string Wording::ordinal(std::uint32_t rank) const {
  if (french_) return std::to_string(rank) + (rank == 1 ? "er" : "e");
  const bool teens = rank % 100 >= 11 && rank % 100 <= 13;
  constexpr std::array<std::string_view, 4> kEndings = {"th", "st", "nd", "rd"};
  return std::to_string(rank) + std::string(kEndings[!teens && rank % 10 < 4 ? rank % 10 : 0]);
}

std::string Wording::list(const std::vector<std::string>& parts) const {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? of(" and ", " et ") : ", ";
    text += parts[i];
  }
  return text;
}

std::string Wording::the(Country country) const {
  if (french_) return the_in_french(country);
  const std::string name(country.name_en());
  return one_of(country, kThe) || name.ends_with("Islands") ? "the " + name : name;
}

std::string Wording::in(const http::Region& region) const {
  if (region.code == 1) return of("in the world", "dans le monde");
  const std::string text = name(region);
  if (!french_) return (text == "Americas" || text == "Caribbean" ? "in the " : "in ") + text;
  if (text == "Amériques" || text == "Caraïbes") return "dans les " + text;
  return "en " + text;
}

std::string Wording::verb(Country country, std::string_view english, std::string_view singular,
                          std::string_view several) const {
  return french_ ? std::string(plural(country) ? several : singular) : std::string(english);
}

std::string Wording::evidence(EvidenceKind kind) const {
  switch (kind) {
    case EvidenceKind::kNone:
      return of("nothing (ZZ)", "rien (ZZ)");
    case EvidenceKind::kExplicit:
      return of("an address record or coordinates", "une adresse déclarée ou des coordonnées");
    case EvidenceKind::kPlace:
      return of("a place named in the profile", "un lieu nommé dans le profil");
    case EvidenceKind::kFlag:
      return of("a flag or a demonym", "un drapeau ou un gentilé");
    case EvidenceKind::kDomain:
      return of("a country-code domain", "un domaine national");
    case EvidenceKind::kRegion:
      return of("a language with a region", "une langue avec région");
    case EvidenceKind::kLanguage:
      return of("the languages of the posts", "les langues des messages");
    case EvidenceKind::kZone:
      return of("a time zone or the hours of activity", "un fuseau ou les heures d’activité");
  }
  return "";
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

}  // namespace geotally::study
