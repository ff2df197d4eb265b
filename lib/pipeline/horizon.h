// Which event times are believed (DEFINITIONS: watermark, future, too_old).
//
// Pure: the wall clock is an argument. One wrong time must not expire everything, and a wrong
// clock must not lose an hour: so a time beyond the limit moves nothing until a second account
// confirms it.
#pragma once

#include <cstdint>

namespace geotally::pipeline {

enum class ClockMode : std::uint8_t {
  kWall,  ///< windows end now, also when nothing comes
  kFeed,  ///< windows end at the newest event: archives and simulations
};

class Horizon {
 public:
  enum class Judgement : std::uint8_t {
    kGood,
    kTooOld,
    kFuture,     ///< not counted, and held against a second witness
    kConfirmed,  ///< a future time was confirmed: the feed must be read again from the cursor
  };

  Horizon(ClockMode mode, std::int64_t watermark_us) : mode_(mode), watermark_us_(watermark_us) {}

  /// What to do with an event of `account` (any hash of it) at `time_us`. kGood moves the
  /// watermark.
  [[nodiscard]] Judgement judge(std::uint64_t account, std::int64_t time_us, std::int64_t wall_us);

  /// Whether judge() would neither hold nor drop an event of that time for being ahead.
  [[nodiscard]] bool would_believe(std::int64_t time_us, std::int64_t wall_us) const {
    return time_us <= limit_us(wall_us);
  }
  /// Nobody will confirm what is held: the end of the process.
  void give_up();

  /// Largest event time of a decoded event that was not future; 0 = none yet.
  [[nodiscard]] std::int64_t watermark_us() const { return watermark_us_; }
  /// Right edge of all windows.
  [[nodiscard]] std::int64_t edge_us(std::int64_t wall_us) const {
    return mode_ == ClockMode::kFeed || wall_us < watermark_us_ ? watermark_us_ : wall_us;
  }
  /// Future events that were neither confirmed nor given up yet; taken when given up.
  [[nodiscard]] std::uint64_t take_unconfirmed();
  /// Future events that were confirmed, the one that did it included: they will come again.
  [[nodiscard]] std::uint64_t take_confirmed();

 private:
  [[nodiscard]] std::int64_t limit_us(std::int64_t wall_us) const;

  ClockMode mode_;
  std::int64_t watermark_us_;
  std::int64_t confirmed_us_ = 0;  // times up to it were confirmed

  // The first witness of a time beyond the limit.
  std::uint64_t witness_ = 0;
  std::int64_t witness_us_ = 0;
  std::uint64_t held_ = 0;  // future events since the witness
  std::uint64_t good_ = 0;  // good events since the witness
  std::uint64_t given_up_ = 0;
  std::uint64_t confirmed_ = 0;
};

}  // namespace geotally::pipeline
