// From an Entry to the bytes that a server would send, and to its line of the log.
// A pure function of entry, seed and options; fast enough that nothing is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "feed/entry.h"
#include "feed/study.h"

namespace geotally::feedgen {

enum class Wire : std::uint8_t {
  kV1,  ///< Jetstream v1: /subscribe
  kV2,  ///< Jetstream v2: /xrpc/network.bsky.jetstream.subscribeEvents
};

/// Which time a v2 frame carries.
enum class V2Time : std::uint8_t { kTime, kBoth, kWitnessedOnly };

struct RenderOptions {
  std::size_t frame_bytes = 0;  ///< frames with a text are padded to this size; 0 = as they come
  bool sequence_field = false;  ///< v1 messages carry `cursor`, as new servers do
  V2Time v2_time = V2Time::kTime;
};

/// Names as they stand on the wire.
[[nodiscard]] std::string_view collection_of(EntryKind kind);  ///< empty: not a commit
[[nodiscard]] std::string_view operation_of(EntryKind kind);
[[nodiscard]] std::string_view hint_name(Hint hint);

class Renderer {
 public:
  /// Bytes that render() may write, beside what RenderOptions::frame_bytes asks for.
  static constexpr std::size_t kRoom = 4096;

  Renderer(std::span<const CountryShare> countries, std::uint64_t seed, RenderOptions options)
      : countries_(countries), seed_(seed), options_(options) {}

  /// `shown_us`: the event's time by the clock of the host that sends it. Returns the end.
  char* render(char* out, Wire wire, const Entry& entry, std::int64_t shown_us,
               std::uint64_t sequence) const;

  /// One JSON object and a newline, appended.
  void log_line(std::string& log, const Entry& entry, std::int64_t shown_us, std::uint64_t number,
                bool lost) const;

  [[nodiscard]] std::string did(std::uint32_t account) const;

 private:
  char* put_v1(char* out, const Entry& entry, std::int64_t shown_us, std::uint64_t sequence) const;
  char* put_v2(char* out, const Entry& entry, std::int64_t shown_us, std::uint64_t sequence) const;
  char* put_country(char* out, const Entry& entry, std::uint64_t draw) const;
  char* put_record(char* out, const Entry& entry) const;
  char* put_upstream(char* out, const Entry& entry) const;
  char* put_subject(char* out, const Entry& entry) const;
  char* put_text(char* out, const Entry& entry) const;

  std::span<const CountryShare> countries_;
  std::uint64_t seed_;
  RenderOptions options_;
};

}  // namespace geotally::feedgen
