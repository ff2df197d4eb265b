// Generated worlds: accounts with a country, a reason to believe it, and a life.
//
// Everything follows from the seed. A world is unambiguous: every account shows
// one flag, one region subtag, one language of a single country or an address
// before or with its first post, and never contradicts it except by an explicit
// address later; accounts of ZZ show nothing at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "feed/entry.h"
#include "feed/study.h"

namespace geotally::feedgen {

struct WorldOptions {
  std::string name =
      "july-2012";  ///< july-2012, january-2012, study-2012 (the one, then the other) or small
  std::uint64_t accounts = 10'000;
  std::uint64_t events = 100'000;
  double days = 0;
  std::int64_t end_us = 0;  ///< time of the last event, at most
  std::uint64_t seed = 1;
  /// No event lies nearer than this to the border of a minute (so neither to that of an hour
  /// or a day): clocks that differ by less then fill the same buckets.
  std::int64_t guard_us = 0;
  // Of the flood only.
  bool only_posts = false;
  bool roll_call = false;  ///< every account posts once, before the flood begins
};

struct World {
  std::span<const CountryShare> countries;
  std::vector<Entry> entries;  ///< in the order of `time_us`, which rises strictly
  std::uint64_t accounts = 0;
  std::uint64_t seed = 0;
};

/// Throws std::invalid_argument, naming the option, where the options make no world.
void check_options(const WorldOptions& options);
/// Throws as check_options() does.
[[nodiscard]] World make_world(const WorldOptions& options);

/// Of a world of unlimited length whose event number `index` is computed and not stored: for
/// measuring speed with any number of accounts. Mostly posts, all with a region subtag.
struct Flood {
  std::span<const CountryShare> countries;
  std::uint64_t accounts = 0;
  std::uint64_t events = 0;
  std::uint64_t seed = 0;
  std::int64_t begin_us = 0;
  double step_us = 1;  ///< between two events; at least 1
  bool only_posts = false;
  bool roll_call = false;

  [[nodiscard]] std::int64_t time_us(std::uint64_t index) const {
    return begin_us + static_cast<std::int64_t>(static_cast<double>(index) * step_us);
  }
  [[nodiscard]] Entry entry(std::uint64_t index) const;
};
[[nodiscard]] Flood make_flood(const WorldOptions& options);

}  // namespace geotally::feedgen
