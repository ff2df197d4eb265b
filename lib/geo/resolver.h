// From what an account gives away to its country. Pure: tables are immutable
// after loading, state is the caller's, no I/O after construction, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "country/country.h"
#include "country/language_tag.h"
#include "event/evidence_kind.h"

namespace geotally::geo {

/// New evidence about one account. Everything is optional; views are only read during the call.
struct Evidence {
  // What a profile says. `profile` true: these fields REPLACE what an earlier profile said
  // (all empty = the profile was deleted).
  bool profile = false;
  std::string_view display_name;
  std::string_view description;
  std::string_view location;  ///< a field meant for a place (X, Mastodon)
  std::string_view website;
  std::string_view time_zone;  ///< Rails or IANA name
  LanguageTag profile_language;

  std::string_view handle;  ///< a domain name; empty = not given

  // What a post says. `post` true: one more post.
  bool post = false;
  std::span<const LanguageTag> languages;
  std::string_view text;
  std::int32_t utc_offset_s = kNoOffset;
  std::uint8_t utc_hour = kNoHour;  ///< 0 to 23: when the server saw it

  static constexpr std::int32_t kNoOffset = INT32_MIN;
  static constexpr std::uint8_t kNoHour = 255;
};

/// What must be remembered of an account to weigh later evidence. Part of the
/// account record: fixed size, trivially copyable; all zero = nothing known.
/// The layout belongs to lib/geo and is written down in proto/store.md.
struct EvidenceState {
  std::array<std::uint8_t, 24> bytes{};
  friend bool operator==(const EvidenceState&, const EvidenceState&) = default;
};
static_assert(std::is_trivially_copyable_v<EvidenceState>);

struct Resolution {
  Country country;  ///< ZZ below the threshold
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;  ///< calibrated probability × 255, rounded down
  friend bool operator==(const Resolution&, const Resolution&) = default;
};

/// Thread-safe after construction: one Resolver serves every shard.
class Resolver {
 public:
  struct Options {
    double threshold = 0.5;  ///< confidence below which an account counts as ZZ
  };

  explicit Resolver(Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Folds `evidence` into `state`. Any bytes in any field: bounded work, never throws.
  /// Returns whether the state changed (only then must resolve() be called again).
  [[nodiscard]] bool weigh(EvidenceState& state, const Evidence& evidence) const;

  /// The country that the state points to. An explicit country is not its business:
  /// the caller knows it and it decides.
  [[nodiscard]] Resolution resolve(const EvidenceState& state) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
  Options options_;
};

}  // namespace geotally::geo
