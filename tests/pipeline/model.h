// What the figures must be, worked out the slow way: every accepted event is remembered, every
// figure is counted anew from them. Shares no code with what it checks.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "support/jetstream_line.h"
#include "tally/snapshot.h"

namespace geotally::pipeline {

/// A country's figures as DEFINITIONS has them.
struct Expected {
  std::uint64_t posts = 0;
  std::uint64_t deleted = 0;
  std::uint64_t accounts = 0;
  std::array<std::uint64_t, tally::kEngagements> engagement{};
  std::vector<std::uint64_t> window_posts;
  std::vector<std::uint64_t> window_active;
};

/// A closed UTC day of one country.
struct ExpectedDay {
  std::uint64_t posts = 0;
  std::uint64_t fresh = 0;  ///< accounts that became known on that day
  std::uint64_t deleted = 0;
};

/// Countries are declared ones only; "ZZ" otherwise.
class Model {
 public:
  /// The next line of the feed. A line that was seen before changes nothing.
  /// Returns whether it was accepted.
  bool apply(const support::Line& line);
  void apply(std::span<const support::Line> lines) {
    for (const support::Line& line : lines) apply(line);
  }
  /// What `forget` and retention do to an account.
  void erase(const std::string& did);

  [[nodiscard]] std::map<std::string, Expected> figures(std::span<const tally::Window> windows,
                                                        std::int64_t edge_us) const;
  [[nodiscard]] std::map<std::string, ExpectedDay> day(std::int64_t day) const;
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::int64_t watermark_us() const { return watermark_us_; }

 private:
  struct Account {
    bool known = false;
    bool gone = false;
    std::pair<std::int64_t, std::uint64_t> status{-1, 0};
    std::pair<std::int64_t, std::uint64_t> identity{-1, 0};
    std::string country = "ZZ";
    std::int64_t last_post_us = 0;
    std::set<std::int64_t> days;  // on which it posted
  };
  struct Post {
    std::int64_t time_us = 0;
    std::string country;
  };

  std::unordered_map<std::string, Account> accounts_;
  std::unordered_set<std::string> seen_;
  std::vector<Post> posts_;
  std::vector<Post> deleted_;
  std::vector<Post> fresh_;
  std::uint64_t accepted_ = 0;
  std::int64_t watermark_us_ = 0;
};

/// EXPECTs that `snapshot` shows what the model says at the snapshot's edge.
void expect_figures(const tally::Snapshot& snapshot, const Model& model);

struct FeedShape {
  unsigned seed = 1;
  std::size_t accounts = 200;
  std::size_t events = 5'000;
  std::int64_t start_us = 1'700'000'000'000'000;
  std::int64_t step_us = 1'000'000;  ///< between two events, on average
  bool with_status = true;
};
/// A feed at random: every kind of event, and posts a little out of order.
[[nodiscard]] std::vector<support::Line> make_feed(const FeedShape& shape);

}  // namespace geotally::pipeline
