// Structured log of the daemon: one line an event, from the closed list in
// log/events.h, with a few fields. Never a line per post, never a payload, a
// secret or an account's name.
//
// Where it goes is decided once, at construction: native journal fields when
// stderr is the journal's own stream ($JOURNAL_STREAM), logfmt on a terminal,
// otherwise one JSON object a line with OpenTelemetry's keys (timestamp,
// severity_text, body, attributes).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "log/events.h"

namespace geotally::log {

/// The value of a field: a view, a flag or a number. Text is escaped when it is
/// written; invalid UTF-8 becomes U+FFFD, and more than kTextMax bytes are cut.
class Value {
 public:
  static constexpr std::size_t kTextMax = 1024;

  // Implicit on purpose: fields are written as {"delay_ms", 250}.
  Value(std::string_view text) : value_(text) {}  // NOLINT(google-explicit-constructor)
  // NOLINTNEXTLINE(google-explicit-constructor)
  Value(const char* text) : value_(std::string_view(text)) {}
  Value(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
  Value(bool flag) : value_(flag) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T number) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_signed_v<T>) {
      value_ = static_cast<std::int64_t>(number);
    } else {
      value_ = static_cast<std::uint64_t>(number);
    }
  }
  template <std::floating_point T>
  Value(T number) : value_(static_cast<double>(number)) {}  // NOLINT(google-explicit-constructor)

  using Variant = std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double>;
  [[nodiscard]] const Variant& get() const { return value_; }

 private:
  Variant value_;
};

struct Field {
  std::string_view key;  ///< lower_snake_case, units last ("delay_ms")
  Value value;
};

enum class Format : std::uint8_t {
  kAuto,  ///< journal, terminal or JSON, as the top of this file says
  kJson,
  kLogfmt,
  kJournal,
};

struct Options {
  Level level_min = Level::kInfo;
  Format format = Format::kAuto;
  int descriptor = 2;  ///< borrowed; must stay open
  /// How many lines of ONE event may come at once, and how fast that is refilled.
  /// Fatal lines are never held back.
  std::uint32_t burst = 20;
  std::chrono::milliseconds refill{1000};  ///< one more line each so often
  /// A field that the event's row does not list is a broken invariant. For tests: tests/log holds
  /// every line of the source to its row.
  bool strict = false;
};

/// Thread-safe and free of locks: a line is one write(2). Nothing here throws;
/// a line that cannot be written is lost, and counted as suppressed.
class Logger {
 public:
  explicit Logger(Options options = {});
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /// Writes `event` unless its level is below the minimum or its rate limit is used
  /// up; the next line that gets through then carries "suppressed".
  void write(Event event, std::initializer_list<Field> fields = {});
  /// The same with the moment given (`steady` drives the rate limit only).
  void write_at(Event event, std::initializer_list<Field> fields,
                std::chrono::system_clock::time_point now,
                std::chrono::steady_clock::time_point steady);

  void set_level_min(Level level) { level_min_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] Format format() const { return format_; }

  /// Lines written since the start, by level; lines held back by the rate limit.
  [[nodiscard]] std::uint64_t written(Level level) const {
    return written_[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t suppressed() const {
    return suppressed_.load(std::memory_order_relaxed);
  }

 private:
  struct Limit {
    // The moment at which the bucket would be full again (GCRA), in steady ns.
    std::atomic<std::int64_t> full_at{INT64_MIN};
    std::atomic<std::uint64_t> held_back{0};
  };
  bool allowed(Limit& limit, std::int64_t now_ns) const;

  // Constant after construction.
  const int descriptor_;
  const Format format_;
  const bool strict_;
  const std::int64_t refill_ns_;
  const std::int64_t burst_ns_;

  std::atomic<Level> level_min_;
  std::array<Limit, kEvents> limits_;
  std::array<std::atomic<std::uint64_t>, kLevels> written_{};
  std::atomic<std::uint64_t> suppressed_{0};
};

/// What kAuto becomes for `descriptor`: its device and inode are compared with
/// `journal_stream` ("8:1234", as systemd sets it; empty = not set).
[[nodiscard]] Format choose_format(int descriptor, std::string_view journal_stream);

}  // namespace geotally::log
