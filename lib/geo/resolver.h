// From what an account gives away to its country. Pure: tables are immutable
// after loading, state is the caller's, no I/O after construction, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "country/country.h"
#include "country/language_tag.h"
#include "event/evidence_kind.h"

namespace geotally::geo {

/// Version of what decides a country: weights, tables and rules. It is raised with any of them, and
/// stored with what they counted.
inline constexpr std::uint32_t kMethod = 1;

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
  /// Of the post's createdAt; with `profile`, of the profile (X). 0 of a post says nothing.
  std::int32_t utc_offset_s = kNoOffset;
  std::uint8_t utc_hour = kNoHour;  ///< 0 to 23: when the server saw it

  static constexpr std::int32_t kNoOffset = INT32_MIN;
  static constexpr std::uint8_t kNoHour = 255;
};

/// What must be remembered of an account to weigh later evidence. Part of the
/// account record: fixed size, trivially copyable; all zero = nothing known.
/// The layout belongs to lib/geo and is written down in proto/store.md.
struct EvidenceState {
  std::array<std::uint8_t, 28> bytes{};
  friend bool operator==(const EvidenceState&, const EvidenceState&) = default;
};
static_assert(std::is_trivially_copyable_v<EvidenceState>);

struct Resolution {
  Country country;  ///< ZZ below the threshold
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;  ///< calibrated probability × 255, rounded down
  friend bool operator==(const Resolution&, const Resolution&) = default;
};

/// What decided for a country, as its confidence is calibrated.
enum class Basis : std::uint8_t {
  kLanguage,  ///< the languages of the posts, and hints in them
  kPlace,     ///< a place in a field for places
  kMention,   ///< a place in name or description
  kFlag,      ///< a flag or a demonym in name or description
  kDeclared,  ///< a region subtag or a domain
  kOther,     ///< a zone, an offset or the hours of activity
};
inline constexpr std::size_t kBases = 6;
[[nodiscard]] std::string_view to_string(Basis basis);

/// What an answer rests on.
struct Ground {
  Basis basis = Basis::kOther;
  bool agreement = false;  ///< another kind of evidence speaks for the same country
  /// Nothing but a flag, the language of few posts or of several countries, or hours of activity.
  bool weak = false;
};

/// A city by its GeoNames id.
struct City {
  std::uint32_t id = 0;  ///< 0 = none
  Country country;
  std::string_view name;  ///< valid as long as the Resolver
};

/// Why an account is where it is: every country with a chance, and every piece of evidence.
struct Explanation {
  struct Alternative {
    Country country;
    double probability = 0;  ///< calibrated for the first, shared out among the others
  };
  struct Piece {
    EvidenceKind kind = EvidenceKind::kNone;
    Country country;    ///< the one that it speaks for most
    double weight = 0;  ///< log-odds in nats for that country
    std::string words;
  };
  std::vector<Alternative> alternatives;  ///< most likely first, at most 5
  std::vector<Piece> pieces;
};

struct Memory;
struct Weights;

/// Thread-safe after construction: one Resolver serves every shard.
class Resolver {
 public:
  struct Options {
    double threshold = kDefaultThreshold;  ///< confidence below which an account counts as ZZ
    /// The country table; empty = beside the program, or where it was installed.
    std::filesystem::path table;
    const Weights* weights = nullptr;  ///< for the fitting program only
  };
  static constexpr double kDefaultThreshold = 0.55;

  /// Throws std::runtime_error with one clear line when the table is missing or damaged.
  explicit Resolver(Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Folds `evidence` into `state`. Any bytes in any field: bounded work, never throws.
  /// Returns whether it may have changed what resolve() says: something new was said, or what was
  /// said before has become several times as frequent.
  [[nodiscard]] bool weigh(EvidenceState& state, const Evidence& evidence) const;

  /// The country that the state points to. An explicit country is not its business:
  /// the caller knows it and it decides.
  [[nodiscard]] Resolution resolve(const EvidenceState& state) const;

  /// The city that the profile declares, if it is in the country that resolve() gives.
  [[nodiscard]] City city(const EvidenceState& state) const;
  /// The id of the city that the profile declares, if it is in `country`; else 0.
  [[nodiscard]] std::uint32_t city_in(const EvidenceState& state, Country country) const;
  /// A city by id; id 0 in the answer where the table has none.
  [[nodiscard]] City find_city(std::uint32_t id) const;
  /// The country that holds a point (degrees); ZZ at sea and for impossible values.
  [[nodiscard]] Country country_at(double latitude, double longitude) const;
  /// What the likeliest country of a state rests on, whatever the threshold. Slow; for
  /// `geotally evaluate`.
  [[nodiscard]] Ground ground(const EvidenceState& state) const;
  /// Slow; for `geotally resolve`.
  [[nodiscard]] Explanation explain(const EvidenceState& state) const;
  /// Size of the mapped table.
  [[nodiscard]] std::size_t table_bytes() const;
  /// Uncalibrated probability of one country; for the fitting program.
  [[nodiscard]] double probability(const EvidenceState& state, Country country) const;
  /// Sources, versions and licences of the table, as text.
  [[nodiscard]] std::string_view licences() const;

 private:
  struct Tables;
  struct Scores;
  bool weigh_all(EvidenceState& state, const Evidence& evidence) const;
  void score(const EvidenceState& state, Scores& scores) const;
  [[nodiscard]] Resolution judge(const EvidenceState& state) const;
  Country dialect_of(std::string_view text, LanguageTag tag, int& words) const;
  void hint(Memory& memory, std::string_view text, LanguageTag language) const;
  std::unique_ptr<const Tables> tables_;
  Options options_;
  // What resolve() says where one language, or one with a region where it is spoken, is all that is
  // known: most new accounts. Ordered by alone_key().
  std::vector<std::pair<std::uint32_t, Resolution>> alone_;
};

}  // namespace geotally::geo
