// A Dialect turns the frames of one upstream service into Events. It does no
// I/O, starts no thread and reads no clock: bytes in, verdict out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"

namespace geotally::feed {

/// Bytes that must be readable behind a frame (simdjson reads in large steps).
inline constexpr std::size_t kFramePadding = 64;

/// One websocket message, decompressed, borrowed from the connection's buffer until
/// the callback that was given it returns.
/// Invariant: kFramePadding readable bytes follow `text`; their content does not matter.
struct Frame {
  std::string_view text;
};

/// The numbers are stored with the cursor.
enum class Wire : std::uint8_t { kJetstreamV1 = 1, kJetstreamV2 = 2 };
/// "jetstream-v1". Static storage.
[[nodiscard]] std::string_view to_string(Wire wire);
/// False when `name` is no wire.
[[nodiscard]] bool parse_wire(std::string_view name, Wire& wire);

/// From where a server is asked to send.
struct Resume {
  enum class Kind : std::uint8_t {
    kLive,      ///< from now on
    kTime,      ///< from event time `value`, microseconds since the epoch, inclusive
    kSequence,  ///< from the host's own sequence number `value`, inclusive
  };
  Kind kind = Kind::kLive;
  std::uint64_t value = 0;
  friend bool operator==(const Resume&, const Resume&) = default;
};

struct DialectOptions {
  /// Collections asked for, as NSIDs or "prefix.*"; empty = everything.
  std::vector<std::string> collections = {"app.bsky.feed.post", "app.bsky.actor.profile",
                                          "community.lexicon.actor.profile",
                                          "community.lexicon.location.*"};
  std::vector<std::string> dids = {};  ///< accounts asked for; empty = all
  std::size_t depth_max = 64;          ///< nesting of arrays and objects in a frame
  std::uint64_t server_bytes_max = 0;  ///< `maxMessageSizeBytes` asked for; 0 = none
  /// zstd is asked for: v1 with its one dictionary, v2 with the dictionary of this id.
  bool compress = false;
  std::uint32_t dictionary_id = 0;
};

/// Not thread-safe: used by the thread of the connection it serves.
class Dialect {
 public:
  virtual ~Dialect() = default;

  [[nodiscard]] virtual Wire wire() const = 0;

  /// Request target that resumes at `resume`: `base` (the path and query of the
  /// feed's URL) with what this wire adds to it. A parameter that `base` already
  /// has is not added again, except the cursor, which is replaced.
  [[nodiscard]] virtual std::string target(std::string_view base, const Resume& resume) const = 0;

  /// Reads `frame` into `event`. On kEvent the views in `event` hold until the next
  /// decode() or until the frame's buffer is reused; on kUncounted `did`, `time_us`,
  /// `sequence`, `revision` (0 = none) and `discriminator` are set. Otherwise `event` is
  /// unspecified. Upstream bytes never throw and never abort.
  [[nodiscard]] virtual Verdict decode(Frame frame, Event& event) = 0;

  /// Why the last decode() gave kRejected.
  [[nodiscard]] virtual Rejection rejection() const = 0;

  /// Name that the server gave its last notice ("ConsumerTooSlow", "OutdatedCursor"),
  /// cleaned to letters and digits; empty = none since clear_notice().
  [[nodiscard]] virtual std::string_view notice() const { return {}; }
  /// What the last decode() that gave kNotice met.
  [[nodiscard]] virtual Notice notice_kind() const { return Notice::kOther; }
  virtual void clear_notice() {}

  /// v2: the zstd dictionary to ask for from the next connection on.
  virtual void set_dictionary(std::uint32_t /*id*/) {}
};

/// What identifies an event on its wire, as a hash: commits (did, rev, collection, rkey,
/// operation), identity and account (did, seq and what they say).
[[nodiscard]] std::uint64_t identity_of(const Event& event);

/// Bluesky Jetstream v1. Source: bluesky-social/jetstream, docs/README.md.
[[nodiscard]] std::unique_ptr<Dialect> make_jetstream_v1(DialectOptions options = {});
/// Bluesky Jetstream v2 (network.bsky.jetstream.subscribeEvents). Source: the same.
[[nodiscard]] std::unique_ptr<Dialect> make_jetstream_v2(DialectOptions options = {});
[[nodiscard]] std::unique_ptr<Dialect> make_dialect(Wire wire, DialectOptions options = {});

}  // namespace geotally::feed
