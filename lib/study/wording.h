// Numbers, dates and names as English and French write them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "http/api/regions.h"
#include "study/study.h"

namespace geotally::study {

class Wording {
 public:
  explicit Wording(Language language) : french_(language == Language::kFrench) {}

  [[nodiscard]] bool french() const { return french_; }
  /// Whichever is of this language.
  [[nodiscard]] std::string of(std::string_view english, std::string_view french) const {
    return std::string(french_ ? french : english);
  }
  [[nodiscard]] std::string number(std::uint64_t value) const;
  /// 0.274 is "27.4%" or "27,4 %".
  [[nodiscard]] std::string percent(double share) const;
  /// The same with its sign.
  [[nodiscard]] std::string change(double share) const;
  [[nodiscard]] std::string date(std::int32_t day) const;
  /// "18th", "18e". French has no form for the first that does not depend on gender: "1er".
  [[nodiscard]] std::string ordinal(std::uint32_t rank) const;
  /// "a, b and c".
  [[nodiscard]] std::string list(const std::vector<std::string>& parts) const;

  [[nodiscard]] std::string name(Country country) const {
    return of(country.name_en(), country.name_fr());
  }
  [[nodiscard]] std::string name(const http::Region& region) const {
    return of(region.name_en, region.name_fr);
  }
  /// With its article: "the Netherlands", "l’Espagne", "Cuba".
  [[nodiscard]] std::string the(Country country) const;
  /// "in Europe", "en Europe", "dans les Amériques".
  [[nodiscard]] std::string in(const http::Region& region) const;
  /// Which verb form: always the singular in English.
  [[nodiscard]] std::string verb(Country country, std::string_view english,
                                 std::string_view singular, std::string_view plural) const;
  [[nodiscard]] std::string evidence(EvidenceKind kind) const;

 private:
  bool french_;
};

/// With a capital first letter.
[[nodiscard]] std::string capital(std::string text);

}  // namespace geotally::study
