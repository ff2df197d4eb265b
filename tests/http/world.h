// A small network to ask questions about: a few countries, known figures, a past.
#pragma once

#include <memory>
#include <vector>

#include "http/sources.h"

namespace geotally::http {

/// 2012-07-01T12:00:00Z, the right edge of the small world; its days end with 2012-06-30.
inline constexpr std::int64_t kWorldEdgeUs = 1'341'144'000'000'000;
inline constexpr std::int32_t kWorldLastDay = 15'521;
/// 2012-06-01: the first day, and its store begins at noon.
inline constexpr std::int32_t kWorldFirstDay = 15'492;

/// Accounts: US 40,000, BR 30,000, FR 10,000, GB 10,000, NL 5,000, LI 10, ZZ 5,000; a tenth active
/// in 24h (NL: half), a fifth engaged; windows 24h (half covered) and 30d.
[[nodiscard]] std::shared_ptr<const tally::Snapshot> world();

/// Sources over world(): a row for each of the thirty days, in which accounts rise evenly to those
/// of world() from half as many (BR: from a tenth); each day has posts = accounts / 10.
[[nodiscard]] Sources world_sources();

}  // namespace geotally::http
