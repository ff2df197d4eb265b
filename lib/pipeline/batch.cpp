#include "pipeline/batch.h"

#include <cstring>

#include <boost/lockfree/spsc_queue.hpp>

#include "base/check.h"

namespace geotally::pipeline {

std::string_view Batch::keep(std::string_view text) {
  if (text.empty()) return {};
  char* to = arena_.get() + arena_used_;
  std::memcpy(to, text.data(), text.size());
  arena_used_ += text.size();
  return {to, text.size()};
}

std::uint16_t Batch::add_text(const Text& text) {
  const std::size_t bytes = text.display_name.size() + text.description.size() +
                            text.website.size() + text.handle.size() + text.post.size();
  if (!text_fits(bytes)) return tally::Sample::kNoText;
  if (!arena_) arena_ = std::make_unique<char[]>(kArenaBytes);
  texts_.push_back({keep(text.display_name), keep(text.description), keep(text.website),
                    keep(text.handle), keep(text.post)});
  return static_cast<std::uint16_t>(texts_.size() - 1);
}

void Batch::clear() {
  size_ = 0;
  texts_.clear();
  arena_used_ = 0;
  forget.clear();
  mark.reset();
  last = false;
}

struct BatchQueue::Rings {
  boost::lockfree::spsc_queue<Batch*, boost::lockfree::capacity<kBatches>> forward;
  boost::lockfree::spsc_queue<Batch*, boost::lockfree::capacity<kBatches>> back;
};

BatchQueue::BatchQueue(std::size_t batches) : rings_(std::make_unique<Rings>()) {
  GEOTALLY_CHECK(batches >= 2 && batches <= kBatches, "so many batches fit into the ring");
  free_.reserve(batches);
  for (std::size_t i = 0; i < batches; ++i) {
    batches_.push_back(std::make_unique<Batch>());
    free_.push_back(batches_.back().get());
  }
}

BatchQueue::~BatchQueue() = default;

Batch* BatchQueue::try_take() {
  rings_->back.consume_all([this](Batch* back) { free_.push_back(back); });
  if (free_.empty()) return nullptr;
  Batch* const batch = free_.back();
  free_.pop_back();
  return batch;
}

void BatchQueue::push(Batch* batch) {
  samples_.fetch_add(batch->size(), std::memory_order_relaxed);
  GEOTALLY_CHECK(rings_->forward.push(batch), "a batch has no room: its events would be lost");
  pushed_.fetch_add(1, std::memory_order_release);
  pushed_.notify_one();
}

Batch* BatchQueue::try_pop() {
  Batch* batch = nullptr;
  return rings_->forward.pop(batch) ? batch : nullptr;
}

Batch* BatchQueue::pop() {
  for (;;) {
    const std::uint32_t seen = pushed_.load(std::memory_order_acquire);
    if (Batch* batch = try_pop()) return batch;
    pushed_.wait(seen, std::memory_order_acquire);
  }
}

void BatchQueue::give_back(Batch* batch) {
  samples_.fetch_sub(batch->size(), std::memory_order_relaxed);
  batch->clear();
  GEOTALLY_CHECK(rings_->back.push(batch), "an empty batch has no room");
}

}  // namespace geotally::pipeline
