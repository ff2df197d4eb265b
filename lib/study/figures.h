// All figures of a study, gathered from the answers of the API.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "http/api/answers.h"
#include "http/api/regions.h"
#include "study/study.h"

namespace geotally::study {

/// One country, or the world, at both ends of the period.
struct Standing {
  std::uint64_t accounts_before = 0;
  std::uint64_t accounts = 0;
  std::uint64_t active = 0;       ///< in the window, at the end
  std::uint64_t engaged = 0;      ///< at the end
  std::uint32_t rank_before = 0;  ///< in the world; 0 = none
  std::uint32_t rank = 0;
  std::uint32_t region_rank = 0;  ///< in the region of the study; 0 = outside
  std::uint32_t region_rank_before = 0;

  [[nodiscard]] std::optional<double> growth() const;
  [[nodiscard]] std::optional<double> active_share() const;
};

/// `ahead` has more accounts than `behind` at the end, and had fewer until `day`.
struct Overtaking {
  Country ahead;
  Country behind;
  std::int32_t day = 0;  ///< the first at whose end it was ahead for good
};

/// How sure the countries are, now.
struct Certainty {
  Country country;
  double confidence = 0;                         ///< mean
  EvidenceKind strongest = EvidenceKind::kNone;  ///< what most accounts rest on
  double strongest_share = 0;
};

struct DayTotals {
  std::int32_t day = 0;
  std::uint64_t accounts = 0;
  std::uint64_t active = 0;
};

struct Figures {
  std::int32_t from = 0;  ///< days since 1970-01-01
  std::int32_t to = 0;
  std::int32_t window_days = 0;
  std::uint64_t min_accounts = 0;
  Country focus;
  const http::Region* region = nullptr;

  Standing world;
  std::vector<Standing> countries;  ///< by Country::index(), ZZ too
  std::vector<Country> order;       ///< by accounts at the end; those with any
  std::vector<Country> order_before;
  std::vector<Country> region_order;
  std::vector<Country> by_active_share;  ///< those with min_accounts
  std::vector<Country> by_growth;
  std::vector<Country> by_engaged;
  std::vector<Overtaking> overtakings;
  std::size_t limit = 0;

  std::vector<DayTotals> days;                    ///< of the period
  std::array<double, kEvidenceKinds> evidence{};  ///< shares of accounts, at the end
  std::vector<Certainty> certainty;               ///< of the first countries
  double covered = 0;                             ///< share of the period that was observed
  std::uint64_t gaps = 0;
  std::string observed_since;
  std::int32_t observed_since_day = 0;
  std::uint64_t commit = 0;
  std::uint64_t commit_last = 0;  ///< the same, but where the answers are of several commits
  std::string committed_at;

  [[nodiscard]] const Standing& of(Country country) const { return countries[country.index()]; }
};

/// The figures, or why there are none. A daemon commits while it is asked: everything is asked
/// again, up to kGatherTries times in all, until the answers are of one commit.
inline constexpr int kGatherTries = 5;
[[nodiscard]] std::pair<std::optional<Figures>, http::Reply> gather(const http::Ask& ask,
                                                                    const Options& options);

}  // namespace geotally::study
