// How far a feed has come, what each of its hosts shows of it, and what goes
// wrong. No network and no clock of its own: the server asks and obeys.
//
// Event number n is "emitted" when n < head(). Hosts tell the same events, with
// sequence numbers, clock errors and lateness of their own.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feed/fault.h"
#include "feed/script.h"

namespace geotally::feedgen {

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
/// Cursors below it are sequence numbers, others are microseconds.
inline constexpr std::uint64_t kFirstTimeCursor = 1'000'000'000'000'000ULL;

/// The log of what was emitted: one JSON object a line.
class Log {
 public:
  /// Throws std::runtime_error where the file cannot be written.
  explicit Log(const std::string& path);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] std::string& pending() { return pending_; }
  void flush();
  void flush_when_large() {
    if (pending_.size() > (1U << 20)) flush();
  }

 private:
  std::FILE* file_;
  std::string pending_;
};

struct FeedOptions {
  std::int64_t retention_us = 36LL * 3600 * 1'000'000;  ///< cursors older than it are clamped
  double rate = 0;           ///< events a second; 0 = as fast as clients read
  double pace = 0;           ///< feed seconds a second; 0 = not paced by feed time
  bool wall_pace = false;    ///< an event is due when the wall clock shows its time
  bool wait_client = false;  ///< nothing is emitted before the first client is there
  bool hold_alone = false;   ///< nothing is emitted while no client is there
  std::uint64_t pause_at = kNever;
  std::size_t oversize_bytes = 8 << 20;  ///< of what fault corrupt:what=oversized sends
};

/// One server: what it alone is.
struct Host {
  std::uint64_t first_sequence = 1;  ///< of event number `sequence_from`
  std::uint64_t sequence_from = 0;
  std::uint64_t history_from = 0;  ///< older events are forgotten
  std::int64_t clock_us = 0;       ///< error of its clock, from the beginning
  std::int64_t lag_us = 0;         ///< how late it delivers, in feed time
  struct Step {
    std::uint64_t from = 0;
    std::int64_t clock_us = 0;
  };
  std::vector<Step> clock_steps;  ///< errors that the clock had from later events on

  std::uint64_t rewinds = 0;  ///< so many cursors are served from rewind_us before
  std::int64_t rewind_us = 0;

  std::uint64_t refusals = 0;        ///< so many connections are refused
  std::int64_t refuse_until_us = 0;  ///< or all of them, until that time of the server
  unsigned refuse_status = 503;
  std::string refuse_body = "json";
};

/// What a due fault means for connections; the rest fire() has done.
struct Order {
  enum class Kind : std::uint8_t {
    kNothing,
    kEnd,       ///< all connections of `host`, by `how`
    kSilent,    ///< this connection, for `duration_us` (0 = for ever)
    kStall,     ///< likewise, within a frame
    kSend,      ///< `messages`, on this connection
    kFragment,  ///< the next `count` messages of this connection
    kSplit,
    kPing,
    kRotate,
  };
  Kind kind = Kind::kNothing;
  int host = -1;
  std::string how;
  std::int64_t duration_us = 0;
  std::uint64_t count = 0;
  struct Message {
    std::string text;   ///< compressed where the client asked for it …
    std::string spoil;  ///< … or spoiled as Compressor::spoil() does it, or sent as "binary"
  };
  std::vector<Message> messages;
};

/// v2's message about the stream itself.
[[nodiscard]] std::string info_message(std::string_view name, std::string_view message);

/// Not thread-safe.
class Feed {
 public:
  Feed(std::unique_ptr<Script> script, std::vector<Host> hosts, FeedOptions options,
       std::unique_ptr<Log> log);

  [[nodiscard]] const Script& script() const { return *script_; }
  [[nodiscard]] const FeedOptions& options() const { return options_; }
  [[nodiscard]] Host& host(std::size_t index) { return hosts_[index]; }
  [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }
  [[nodiscard]] std::uint64_t size() const { return script_->size(); }
  [[nodiscard]] std::uint64_t head() const { return head_; }
  [[nodiscard]] bool unlimited() const { return options_.rate <= 0 && !paced(); }

  /// A client of `host` may be sent the events before this number.
  [[nodiscard]] std::uint64_t limit(std::size_t host);
  /// Where the live tail of `host` is.
  [[nodiscard]] std::uint64_t tail(std::size_t host);
  /// Past whatever nobody gets: the next number from `number` on that is delivered.
  [[nodiscard]] std::uint64_t skip_lost(std::uint64_t number) const;
  /// The nearest number above `number` at which delivery jumps or a fault may be due.
  [[nodiscard]] std::uint64_t next_stop(std::size_t host, std::uint64_t number) const;

  [[nodiscard]] std::int64_t shown_us(std::size_t host, std::uint64_t number) const;
  [[nodiscard]] std::uint64_t sequence(std::size_t host, std::uint64_t number) const;
  /// The number from which a client is served that asks for `cursor`; nullopt asks for the tail.
  /// Uses up a rewind that is due. `too_old` tells whether the cursor was clamped.
  [[nodiscard]] std::uint64_t start(std::size_t host, std::optional<std::uint64_t> cursor,
                                    bool& too_old);
  /// The oldest sequence number that `host` can serve.
  [[nodiscard]] std::uint64_t floor_sequence(std::size_t host);

  /// A client of `host` was sent everything before `number`.
  void sent(std::size_t host, std::uint64_t number);
  /// Emits what is due at `now_us`, for limited feeds. `clients`: how many are there.
  void tick(std::int64_t now_us, std::int64_t wall_us, std::size_t clients);

  void pause(std::uint64_t at);
  void resume() { options_.pause_at = kNever; }
  void set_rate(double rate) { options_.rate = rate; }

  /// Throws std::invalid_argument where it is wrong or comes too late.
  void add(Fault fault);
  /// Carries out the fault that is due for a client of `host` at `number`.
  [[nodiscard]] Order fire(std::size_t host, std::uint64_t number, Wire wire, std::int64_t now_us);
  [[nodiscard]] bool due(std::size_t host, std::uint64_t number) const;

  /// {"emitted":…}: one object without the closing brace.
  [[nodiscard]] std::string status() const;
  void note(const std::string& json_object);
  void flush();

 private:
  [[nodiscard]] bool paced() const { return options_.pace > 0 || options_.wall_pace; }
  [[nodiscard]] std::uint64_t target() const;
  [[nodiscard]] std::uint64_t first_not_before(std::int64_t time_us) const;
  [[nodiscard]] std::uint64_t lagged(std::size_t host, std::uint64_t number) const;
  void advance(std::uint64_t to);
  void lose(std::uint64_t count);
  [[nodiscard]] Mould mould(std::size_t host, std::uint64_t number, Wire wire) const;

  std::unique_ptr<Script> script_;
  std::vector<Host> hosts_;
  FeedOptions options_;
  std::unique_ptr<Log> log_;
  std::vector<Fault> faults_;
  std::vector<std::string> fired_;
  struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  std::vector<Span> lost_;       // in order
  std::vector<Span> reordered_;  // in order of request
  std::uint64_t head_ = 0;
  double credit_ = 0;
  double feed_clock_us_ = 0;
  std::int64_t last_tick_us_ = 0;
  bool started_ = false;
};

}  // namespace geotally::feedgen
