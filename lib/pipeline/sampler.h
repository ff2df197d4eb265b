// From an event to a sample: keys instead of names, tags instead of strings.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "pipeline/batch.h"
#include "tally/sample.h"

namespace geotally::pipeline {

/// An account's partition is the first six bits of its key; a shard owns a range of them.
inline constexpr unsigned kPartitionBits = 6;
inline constexpr std::size_t kPartitions = std::size_t{1} << kPartitionBits;
[[nodiscard]] constexpr std::size_t partition_of(tally::AccountKey key) {
  return key >> (64 - kPartitionBits);
}
/// Which of `shards` owns `partition`.
[[nodiscard]] constexpr std::size_t owner_of(std::size_t partition, std::size_t shards) {
  return partition * shards / kPartitions;
}

/// The key of an account: XXH3 of its DID with the store's seed; never 0. Of 517 million
/// accounts two share a key with a probability of 0.7 %.
[[nodiscard]] tally::AccountKey account_key(std::string_view did, std::uint64_t seed);

/// Seconds east of UTC that an RFC 3339 time names; INT32_MIN for "Z", "-00:00" and none.
[[nodiscard]] std::int32_t utc_offset_of(std::string_view rfc3339);

/// Which texts of an event travel with its sample.
/// Used by one thread, the feed's.
class TextGate {
 public:
  TextGate();
  /// Profiles and handles always do (cut to a length); the text of a post only where its language
  /// is not declared, and of one account only every so often: a flood of posts says nothing more.
  [[nodiscard]] bool text_of(const Event& event, tally::AccountKey account, Text& text);

 private:
  std::vector<std::uint64_t> recent_;  // by hash: account and when, overwritten freely
};

/// Everything but account and text.
void to_sample(const Event& event, tally::Sample& sample);

}  // namespace geotally::pipeline
