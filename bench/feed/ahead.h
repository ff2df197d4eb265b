// Messages that were compressed before anyone asked for them: a generator that
// compresses while it is measured takes the machine that the daemon should have.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "feed/buffer.h"

namespace geotally::feedgen {

/// The first messages of a feed, by number. Not thread-safe.
class Ahead {
 public:
  /// The buffer to which the next message is to be appended; then call end().
  [[nodiscard]] Buffer& begin() {
    if (chunks_.empty() || chunks_.back().ends.size() == kChunk) chunks_.emplace_back();
    return chunks_.back().bytes;
  }
  void end() { chunks_.back().ends.push_back(chunks_.back().bytes.size()); }

  /// Nothing where it was not made ahead.
  [[nodiscard]] std::optional<std::string_view> find(std::uint64_t number) const {
    const std::uint64_t chunk = number / kChunk;
    const std::uint64_t place = number % kChunk;
    if (chunk >= chunks_.size() || place >= chunks_[chunk].ends.size()) return {};
    const std::size_t start = place == 0 ? 0 : chunks_[chunk].ends[place - 1];
    return chunks_[chunk].bytes.view(start).substr(0, chunks_[chunk].ends[place] - start);
  }

  void clear() { chunks_.clear(); }

 private:
  static constexpr std::uint64_t kChunk = 65'536;  // so that growing never copies much

  struct Chunk {
    Buffer bytes;
    std::vector<std::size_t> ends;
  };
  std::vector<Chunk> chunks_;
};

}  // namespace geotally::feedgen
