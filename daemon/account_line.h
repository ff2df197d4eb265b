// One account as a line of JSON: what `geotally resolve` and `geotally evaluate` read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "country/country.h"
#include "country/language_tag.h"
#include "geo/resolver.h"

namespace geotally {

/// All fields are optional; what is of another type counts as absent.
struct AccountLine {
  std::string name, description, location, handle, website, time_zone, text;
  std::optional<double> utc_offset;  ///< seconds
  std::vector<LanguageTag> langs;
  LanguageTag profile_lang;
  std::optional<double> latitude, longitude;
  // For evaluation only.
  std::vector<Country> truth;  ///< `country`, or any of `countries`; empty = rightly unknown
  bool labelled = false;
  bool is_place = false;  ///< labelled with `countries`
  std::string sample;
};

/// Which fields are looked at.
struct AccountFields {
  bool location = true;
  bool profile = true;  ///< name and description
  bool languages = true;
  bool text = true;
  bool zone = true;  ///< zone, offset, profile language
};

/// Reads lines; not thread-safe.
class AccountReader {
 public:
  AccountReader();
  ~AccountReader();
  /// Nothing for what is no JSON object; `error` then says why.
  [[nodiscard]] std::optional<AccountLine> read(std::string_view line, std::string& error);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

struct AccountAnswer {
  geo::EvidenceState state;
  geo::Resolution resolution;  ///< with the resolver's threshold
  bool located = false;        ///< by latitude and longitude
};
/// The country of an account, by the fields that are chosen.
[[nodiscard]] AccountAnswer resolve_account(const geo::Resolver& resolver, const AccountLine& line,
                                            AccountFields fields = {});

}  // namespace geotally
