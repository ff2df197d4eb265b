// Where we are in the feed, and the proof that nothing was missed on the way.
//
// The position holds the cursor (wire, host, sequence, event time) and the
// identities of the last events seen. After a reconnect the server is asked to
// begin a margin earlier; continuity is proved when one of those identities
// comes again. If a new event comes first, the stretch between is suspected; 60 s
// of feed time later, still unproved, it is recorded as a gap. Suspicions are part
// of the bytes that are stored, so a crash cannot lose one.
//
// Pure: no I/O, no clock. Used by one thread, the feed's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/gap.h"
#include "feed/dialect.h"

namespace geotally::feed {

struct PositionOptions {
  /// How far before the cursor a reconnect begins, and how long a suspicion stays
  /// open, in feed time. At least the fence's horizon.
  std::int64_t margin_us = 60'000'000;
  /// Where to begin when nothing is known; none = at the live end.
  std::optional<std::int64_t> start_us = {};
};

class Position {
 public:
  static constexpr std::size_t kIdentities = 64;
  static constexpr std::size_t kSamples = 128;
  static constexpr std::size_t kSuspicions = 8;
  /// An event may be this far ahead of the clock before it is `future`: so much may one
  /// wrong time mislead the cursor, and no more.
  static constexpr std::int64_t kAheadMax_us = 600'000'000;
  /// How long a connection counts as just entered, in feed time.
  static constexpr std::int64_t kEnteredUs = 60'000'000;

  explicit Position(PositionOptions options = {});

  /// An event (of any kind, counted or not, but not a `future` one) was taken over.
  /// Constant time, allocates nothing except when a gap is recorded.
  void observe(std::uint64_t identity, std::int64_t time_us, std::uint64_t sequence);
  void observe(const Event& event) { observe(identity_of(event), event.time_us, event.sequence); }

  /// The connection is gone; `cause` becomes that of a gap, should there be one.
  void disconnected(std::string_view cause);
  /// What to ask `host` ("name:port") on `wire` for.
  [[nodiscard]] Resume resume(std::string_view host, Wire wire) const;
  /// `host` accepted us at `now_us` (microseconds since the epoch).
  void connected(std::string_view host, Wire wire, std::int64_t now_us);
  /// The server refused resume() as too old and named the oldest that it has (none =
  /// it named nothing): resume() asks `host` for that until connected().
  void refused(std::string_view host, std::optional<std::uint64_t> floor);
  /// The server sent nothing for a while though connected. Once continuity is proved (or there
  /// is nothing to prove), that means that what there was to replay has come.
  void idle();

  /// Gaps that became certain since the last call. Store them in the same commit as
  /// serialize(), called right after.
  [[nodiscard]] std::vector<Gap> take_gaps();
  /// The stretches that may yet become gaps: not coverage while they last.
  [[nodiscard]] std::vector<Gap> suspicions() const;

  /// True while connected and not replaying the past: an event from after the moment
  /// of connecting has come, or the server fell idle().
  [[nodiscard]] bool caught_up() const { return caught_up_; }
  /// True while nothing of the feed has been seen, ever.
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Time of the last event seen on this connection, old ones included; 0 = none yet.
  [[nodiscard]] std::int64_t seen_us() const { return seen_us_; }
  /// Largest event time among the last events; 0 = none.
  [[nodiscard]] std::int64_t time_us() const;
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  [[nodiscard]] std::string_view host() const { return host_; }
  /// Whether an event that was witnessed at `time_us` lies so near to the beginning of this
  /// connection that what belongs before it may not have come: the connection began live or by
  /// time, on a wire that tells repositories again (DEFINITIONS: Told rows).
  [[nodiscard]] bool entered(std::int64_t time_us) const {
    return entered_ && (first_us_ == 0 || time_us - first_us_ <= kEnteredUs);
  }
  /// Whether an event of that time may have come before, on an earlier connection.
  [[nodiscard]] bool overlaps(std::int64_t time_us) const { return time_us <= overlap_until_us_; }
  /// The host that accepted us last, whether or not anything came from it; empty = none yet.
  [[nodiscard]] std::string_view connected_host() const { return connected_host_; }
  /// Events on this connection that were not from the past: real progress.
  [[nodiscard]] std::uint64_t fresh_events() const { return fresh_; }

  /// Bytes for the store; parse() reads them in a later process, where everything
  /// stands as after disconnected("restart"). False (and the position unchanged) when
  /// `bytes` are not what serialize() wrote.
  [[nodiscard]] std::string serialize() const;
  [[nodiscard]] bool parse(std::string_view bytes);

 private:
  struct Seen {
    std::uint64_t identity = 0;
    std::int64_t time_us = 0;
  };
  struct Sample {
    std::uint64_t sequence = 0;
    std::int64_t time_us = 0;
  };
  struct Suspicion {
    std::int64_t from_us = 0;
    std::int64_t to_us = 0;
    std::string cause;
    std::array<std::uint64_t, kIdentities> known{};  // any of these proves continuity
    std::size_t known_count = 0;
  };

  [[nodiscard]] bool in_ring(std::uint64_t identity) const;
  [[nodiscard]] std::size_t ring_size() const;
  [[nodiscard]] std::int64_t reference_us() const;
  [[nodiscard]] bool settle(std::uint64_t identity, std::int64_t time_us);
  void suspect(std::int64_t time_us);
  void adopt_host();
  void sample(std::uint64_t sequence, std::int64_t time_us);
  void record(const Suspicion& suspicion);

  PositionOptions options_;

  // The cursor: stored.
  std::string host_;
  Wire wire_ = Wire::kJetstreamV1;
  std::uint64_t sequence_ = 0;
  std::array<Seen, kIdentities> ring_;
  std::uint64_t count_ = 0;  // events ever entered; the ring's next slot is count_ % size
  std::array<Sample, kSamples> samples_;  // at most one a second of feed time
  std::uint64_t sample_count_ = 0;
  bool unproved_ = false;       // reconnected (or about to), no identity has come again
  std::int64_t newest_us_ = 0;  // while unproved_: the largest time of the ring
  std::string cause_;           // of the disconnect
  std::vector<Suspicion> open_;
  std::vector<Gap> gaps_;

  // The connection: not stored.
  std::string connected_host_;
  Wire connected_wire_ = Wire::kJetstreamV1;
  std::int64_t connected_at_us_ = 0;
  bool connected_ = false;
  bool caught_up_ = false;
  bool adopted_ = true;  // host_ is the one we are connected to
  std::uint64_t fresh_ = 0;
  std::int64_t seen_us_ = 0;
  bool entered_ = false;            // it began live or by time, where repositories are told again
  std::int64_t first_us_ = 0;       // of its first event
  std::int64_t overlap_until_us_ = 0;
  std::string refused_host_;
  std::optional<std::uint64_t> floor_;
  bool refused_ = false;
};

}  // namespace geotally::feed
