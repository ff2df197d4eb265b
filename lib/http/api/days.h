// Daily rows, a day at a time: what answers about the past read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "http/sources.h"

namespace geotally::http {

/// One UTC day with a row for every country, by Country::index().
struct Day {
  std::int32_t day = 0;
  std::int64_t gap_us = 0;
  std::vector<DailyRow> rows;
};

class Days {
 public:
  /// `sources` must outlive it.
  explicit Days(const Sources& sources) : sources_(sources) {}

  [[nodiscard]] std::optional<Day> at(std::int32_t day) const;
  /// The newest day that has rows, not after `day` and at most a month before it.
  [[nodiscard]] std::optional<Day> newest(std::int32_t day) const;
  /// Days of [from, to] that have rows, oldest first. Reads a month at a time, so that a
  /// long period takes no more memory than a short one.
  void each(std::int32_t from, std::int32_t to, const std::function<void(const Day&)>& visit) const;

 private:
  const Sources& sources_;
};

}  // namespace geotally::http
