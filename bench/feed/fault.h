// What a feed does wrong on demand: "NAME@N" or "NAME@N:key=value,key=value",
// where N is the number of the event before which it happens.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feed/render.h"

namespace geotally::feedgen {

enum class FaultKind : std::uint8_t {
  kDrop,      ///< ends every connection: how=1001 (any close code), bare or reset
  kSilent,    ///< sends no more data, but pings: for=duration, or until the client leaves
  kStall,     ///< half a frame, then nothing: for=duration, or until the client leaves
  kRewind,    ///< the next cursors=1 cursors are served from span=1h before; drops: how=1001
  kReorder,   ///< delivers the next events=100 in another order
  kForget,    ///< loses history and sequence numbers; how=bare; lost=0 events nobody gets
  kLose,      ///< leaves out the next events=100 without a word
  kCorrupt,   ///< sends a broken message: what=…, count=1
  kFuture,    ///< sends a post of ahead=1h from accounts=1 accounts that do not exist
  kRefuse,    ///< answers status=503 (body=json, html or none) to connections=1 clients; how=bare
  kRestart,   ///< close 1001, refuses for=0, comes back with sequence=… and clock=0s off
  kDelay,     ///< delivers late from now on: by=1h of feed time (0s = in time again)
  kFragment,  ///< sends the next events=100 as fragmented messages with pings between
  kSplit,     ///< sends the next events=10 byte by byte
  kPing,      ///< sends count=1 pings
  kRotate,    ///< compresses with the next dictionary from now on
  kSync,      ///< v2: sends count=1 sync events of an account that says nothing else
  kInfo,      ///< v2: sends an info message, name=OutdatedCursor
  kError,     ///< v2: sends an error frame, name=ConsumerTooSlow, and closes: how=1008
};

struct Fault {
  FaultKind kind{};
  std::uint64_t at = 0;
  std::uint64_t every = 0;  ///< again after so many events …
  std::uint64_t times = 1;  ///< … so many times in all
  int host = -1;            ///< -1: of any host, to every host
  std::map<std::string, std::string, std::less<>> parameters;
  std::string text;  ///< as it was asked for

  [[nodiscard]] std::string get(std::string_view key, std::string_view otherwise) const;
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t otherwise) const;
  [[nodiscard]] std::int64_t duration_us(std::string_view key, std::int64_t otherwise) const;
};

[[nodiscard]] std::string_view fault_name(FaultKind kind);

/// `now`: the number that "NAME@now" stands for. Throws std::invalid_argument with what is allowed.
[[nodiscard]] Fault parse_fault(std::string_view text, std::uint64_t now);

/// "250ms", "5s", "10m", "1h", "2d", "-3s"; a bare number is seconds.
[[nodiscard]] std::optional<std::int64_t> parse_duration_us(std::string_view text);

/// What a made-up message is made of.
struct Mould {
  Wire wire = Wire::kV1;
  std::string did;
  std::int64_t time_us = 0;
  std::uint64_t sequence = 0;
  std::string message;  ///< a right one, to be spoiled
};

/// A post with this record, as JSON, that carries the mould's account and time.
[[nodiscard]] std::string made_up_post(const Mould& mould, std::string_view rev,
                                       std::string_view record);

/// A text message that no client may count. `what`: bad_json, truncated, deep, utf8, oversized,
/// empty, array, number, surrogate, nul, missing_did, wrong_type, huge_number, foreign_kind,
/// foreign_collection, foreign_status, int64_min, int64_max; anything else throws
/// std::invalid_argument.
[[nodiscard]] std::string corrupted(std::string_view what, const Mould& mould,
                                    std::size_t oversize_bytes);

}  // namespace geotally::feedgen
