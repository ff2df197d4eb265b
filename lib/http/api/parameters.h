// Reading the parameters of a question: each is known, well formed and given once, or
// the answer says what is allowed. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "country/country.h"
#include "http/api/regions.h"

namespace geotally::http {

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// The first mistake is kept; what is read after it is a fallback.
class ParameterReader {
 public:
  /// `names`: those that are allowed. `parameters` must outlive the reader.
  ParameterReader(const Parameters& parameters, std::initializer_list<std::string_view> names);

  /// Empty = all is well so far.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  void complain(std::string text);

  [[nodiscard]] bool given(std::string_view name) const { return find(name).has_value(); }
  /// The place of the value among `choices`; `fallback` when it is not given.
  std::size_t choice(std::string_view name, std::span<const std::string_view> choices,
                     std::size_t fallback);
  std::uint64_t number(std::string_view name, std::uint64_t fallback, std::uint64_t min,
                       std::uint64_t max);
  /// YYYY-MM-DD as days since 1970-01-01.
  std::optional<std::int32_t> day(std::string_view name);
  /// The world when it is not given.
  const Region& region(std::string_view name);
  std::optional<Country> country(std::string_view name);

 private:
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

  const Parameters& parameters_;
  std::string complaint_;
};

/// "unknown country …" with what is allowed.
[[nodiscard]] std::string unknown_country(std::string_view text);
/// Days since 1970-01-01 of "YYYY-MM-DD", from 1970 to 9999.
[[nodiscard]] std::optional<std::int32_t> parse_day(std::string_view text);
[[nodiscard]] std::string day_text(std::int32_t day);
/// RFC 3339; "" for 0, which is "not yet".
[[nodiscard]] std::string time_text(std::int64_t time_us);
/// UTC day that holds `time_us` (>= 0).
[[nodiscard]] std::int32_t day_of(std::int64_t time_us);

}  // namespace geotally::http
