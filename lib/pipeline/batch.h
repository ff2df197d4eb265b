// What travels from the feed's thread to a shard: samples by the batch, with the
// texts that a few of them carry, and marks in between.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/gap.h"
#include "tally/sample.h"

namespace geotally::pipeline {

/// A cut through the feed: everything before it is in commit `number`, nothing after it.
struct Mark {
  std::uint64_t number = 0;
  std::int64_t edge_us = 0;
  std::int64_t watermark_us = 0;
  std::int64_t observed_since_us = 0;
  std::int64_t ingested_until_us = 0;
  std::int64_t next_day_to_close = 0;     ///< after this mark
  std::vector<std::int64_t> days_closed;  ///< UTC days that end here
  std::vector<Gap> gaps;                  ///< recorded since the last mark
  std::vector<Gap> suspicions;            ///< not coverage, though not (yet) gaps
  std::int64_t cursor_time_us = 0;        ///< event time of that position
  std::string cursor;                     ///< the feed's position, as it is stored
};

/// Text of one sample; the views point into the batch's arena.
struct Text {
  std::string_view display_name;
  std::string_view description;
  std::string_view website;
  std::string_view handle;
  std::string_view post;
};

/// Filled by one thread, then read by another; recycled, so that nothing is allocated per event.
class Batch {
 public:
  static constexpr std::size_t kSamples = 256;
  static constexpr std::size_t kArenaBytes = std::size_t{16} << 10;

  [[nodiscard]] bool full() const { return size_ == kSamples; }
  [[nodiscard]] bool empty() const { return size_ == 0 && forget.empty() && !mark; }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Requires !full().
  tally::Sample& add() { return samples_[size_++]; }
  /// Copies the text and gives its place, for Sample::text; kNoText when the arena is used up.
  [[nodiscard]] std::uint16_t add_text(const Text& text);
  [[nodiscard]] bool text_fits(std::size_t bytes) const {
    return arena_used_ + bytes <= kArenaBytes;
  }

  [[nodiscard]] std::span<const tally::Sample> samples() const {
    return std::span(samples_).first(size_);
  }
  [[nodiscard]] const Text& text(std::uint16_t place) const { return texts_[place]; }

  /// Since when the feed has been observed, as it was when the batch was handed over; 0 = not yet.
  std::int64_t observed_since_us = 0;
  /// Accounts to erase at once, after the samples.
  std::vector<tally::AccountKey> forget;
  /// Follows all of these; null = none.
  std::shared_ptr<const Mark> mark;
  /// The last batch of all.
  bool last = false;

  void clear();

  /// What a batch takes at most.
  static const std::size_t kBytes;

 private:
  std::string_view keep(std::string_view text);

  std::array<tally::Sample, kSamples> samples_;
  std::size_t size_ = 0;
  std::vector<Text> texts_;
  std::unique_ptr<char[]> arena_;  // made when a text first comes
  std::size_t arena_used_ = 0;
};

inline constexpr std::size_t Batch::kBytes = sizeof(Batch) + kArenaBytes + kSamples * sizeof(Text);

/// Single producer, single consumer, bounded; batches go round, the last one back first, while
/// it is near to the processor. The consumer sleeps while there is nothing; the producer waits in
/// short naps when all batches are on their way.
class BatchQueue {
 public:
  static constexpr std::size_t kBatches = 512;
  /// As many as fit beside the smallest memory.
  static constexpr std::size_t kBatchesMin = 16;

  /// `batches` go round, at least 2 and at most kBatches: what may be on its way at once.
  explicit BatchQueue(std::size_t batches = kBatches);
  ~BatchQueue();
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  /// Producer: an empty batch, or null when all are in use.
  [[nodiscard]] Batch* try_take();
  /// Producer: hands a batch over. Never blocks: there is room for every batch that exists.
  void push(Batch* batch);

  /// Consumer: the next batch; sleeps until there is one.
  [[nodiscard]] Batch* pop();
  /// Consumer: the next batch, or null when there is none yet.
  [[nodiscard]] Batch* try_pop();
  /// Consumer: the batch has been dealt with.
  void give_back(Batch* batch);

  /// Samples that may be on their way at once.
  [[nodiscard]] std::size_t capacity() const { return batches_.size() * Batch::kSamples; }
  /// Samples on their way; any thread.
  [[nodiscard]] std::size_t samples() const { return samples_.load(std::memory_order_relaxed); }

 private:
  struct Rings;
  std::unique_ptr<Rings> rings_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::vector<Batch*> free_;  // the producer's
  std::atomic<std::uint32_t> pushed_{0};
  std::atomic<std::size_t> samples_{0};
};

}  // namespace geotally::pipeline
