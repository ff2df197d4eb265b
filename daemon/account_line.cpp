#include "daemon/account_line.h"

#include <cmath>
#include <memory>

#include <simdjson.h>

namespace geotally {
namespace {

std::string text_of(const simdjson::dom::object& object, std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) return {};
  return std::string(value);
}

std::optional<double> number_of(const simdjson::dom::object& object, std::string_view key) {
  double value = 0;
  if (object[key].get(value) == simdjson::SUCCESS) return value;
  // Coordinates travel as strings at times.
  const std::string text = text_of(object, key);
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

}  // namespace

struct AccountReader::Parser {
  simdjson::dom::parser parser;
};

AccountReader::AccountReader() : parser_(std::make_unique<Parser>()) {}
AccountReader::~AccountReader() = default;

std::optional<AccountLine> AccountReader::read(std::string_view line, std::string& error) {
  simdjson::dom::element root;
  if (const auto code = parser_->parser.parse(line.data(), line.size()).get(root);
      code != simdjson::SUCCESS) {
    error = simdjson::error_message(code);
    return std::nullopt;
  }
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) {
    error = "not a JSON object";
    return std::nullopt;
  }
  AccountLine account;
  account.name = text_of(object, "name");
  account.description = text_of(object, "description");
  account.location = text_of(object, "location");
  account.handle = text_of(object, "handle");
  account.website = text_of(object, "website");
  account.time_zone = text_of(object, "time_zone");
  account.text = text_of(object, "text");
  account.utc_offset = number_of(object, "utc_offset");
  account.latitude = number_of(object, "latitude");
  account.longitude = number_of(object, "longitude");
  account.profile_lang =
      LanguageTag::parse(text_of(object, "profile_lang")).value_or(LanguageTag());
  simdjson::dom::array langs;
  if (object["langs"].get(langs) == simdjson::SUCCESS) {
    for (const auto value : langs) {
      std::string_view tag;
      if (value.get(tag) != simdjson::SUCCESS) continue;
      if (const auto parsed = LanguageTag::parse(tag)) account.langs.push_back(*parsed);
    }
  }
  account.sample = text_of(object, "sample");
  simdjson::dom::array countries;
  if (object["countries"].get(countries) == simdjson::SUCCESS) {
    account.labelled = true;
    account.is_place = true;
    for (const auto value : countries) {
      std::string_view code;
      if (value.get(code) != simdjson::SUCCESS) continue;
      if (const auto country = Country::parse(code)) account.truth.push_back(*country);
    }
  } else if (const auto country = Country::parse(text_of(object, "country"))) {
    account.labelled = true;
    account.truth.push_back(*country);
  }
  return account;
}

AccountAnswer resolve_account(const geo::Resolver& resolver, const AccountLine& line,
                              AccountFields fields) {
  AccountAnswer answer;
  if (fields.location && line.latitude && line.longitude) {
    const Country country = resolver.country_at(*line.latitude, *line.longitude);
    if (country.known()) {
      answer.located = true;
      answer.resolution = {country, EvidenceKind::kExplicit, 255};
    }
  }
  geo::Evidence evidence;
  evidence.profile = true;
  if (fields.profile) {
    evidence.display_name = line.name;
    evidence.description = line.description;
    evidence.website = line.website;
    evidence.handle = line.handle;
  }
  if (fields.location) evidence.location = line.location;
  if (fields.zone) {
    evidence.time_zone = line.time_zone;
    evidence.profile_language = line.profile_lang;
    if (line.utc_offset && std::abs(*line.utc_offset) < 100'000) {
      evidence.utc_offset_s = static_cast<std::int32_t>(*line.utc_offset);
    }
  }
  if (fields.languages) evidence.languages = line.langs;
  if (fields.text) evidence.text = line.text;
  evidence.post = !evidence.languages.empty() || !evidence.text.empty();
  (void)resolver.weigh(answer.state, evidence);
  if (!answer.located) answer.resolution = resolver.resolve(answer.state);
  return answer;
}

}  // namespace geotally
