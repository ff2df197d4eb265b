// Goal: batches arrive in order, each once, with their texts; there are never more of them than
// were made.
// Method: a producer and a consumer in threads of their own; every sample carries its number.
#include "pipeline/batch.h"

#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "rig.h"

namespace geotally::pipeline {
namespace {

class BatchQueueOf : public testing::TestWithParam<std::size_t> {};

TEST_P(BatchQueueOf, KeepsOrderAndNumber) {
  constexpr std::uint64_t kSamples = 300'000;
  BatchQueue queue(GetParam());
  EXPECT_EQ(queue.capacity(), GetParam() * Batch::kSamples);

  std::thread consumer([&] {
    std::uint64_t next = 0;
    std::uint64_t marks = 0;
    for (bool last = false; !last;) {
      Batch* batch = queue.pop();
      for (std::size_t i = 0; i < batch->size(); ++i) {
        const tally::Sample& sample = batch->samples()[i];
        ASSERT_EQ(sample.account, next);
        if (next % 3 == 0) {
          ASSERT_NE(sample.text, tally::Sample::kNoText);
          ASSERT_EQ(batch->text(sample.text).post, std::to_string(next));
        } else {
          ASSERT_EQ(sample.text, tally::Sample::kNoText);
        }
        ++next;
      }
      if (batch->mark) {
        ASSERT_EQ(batch->mark->number, ++marks);
      }
      ASSERT_LE(queue.samples(), queue.capacity());
      last = batch->last;
      queue.give_back(batch);
    }
    EXPECT_EQ(next, kSamples);
  });

  Batch* batch = nullptr;
  const auto take = [&] { await([&] { return (batch = queue.try_take()) != nullptr; }); };
  std::uint64_t marks = 0;
  take();
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    tally::Sample& sample = batch->add();
    sample = {};
    sample.account = i;
    if (i % 3 == 0) {
      const std::string text = std::to_string(i);
      Text parts;
      parts.post = text;
      sample.text = batch->add_text(parts);
    }
    const bool marked = i % 10'007 == 0;
    if (marked) {
      auto mark = std::make_shared<Mark>();
      mark->number = ++marks;
      batch->mark = mark;
    }
    if (marked || batch->full() || i % 71 == 0) {
      queue.push(batch);
      take();
    }
  }
  batch->last = true;
  queue.push(batch);
  consumer.join();
  EXPECT_EQ(queue.samples(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Depths, BatchQueueOf, testing::Values(2, 3, BatchQueue::kBatches));

TEST(BatchQueue, IsBounded) {
  BatchQueue queue(5);
  std::set<Batch*> taken;
  while (Batch* batch = queue.try_take()) {
    batch->add() = {};
    EXPECT_TRUE(taken.insert(batch).second);
    queue.push(batch);
  }
  EXPECT_EQ(taken.size(), 5U);
  EXPECT_EQ(queue.samples(), 5U);
  Batch* first = queue.pop();
  EXPECT_EQ(queue.try_take(), nullptr);  // not before it was given back
  queue.give_back(first);
  EXPECT_EQ(queue.try_take(), first);
  EXPECT_EQ(queue.samples(), 4U);
}

// However deep the queue is, few batches are in use while the consumer keeps up.
TEST(BatchQueue, TakesTheLatestBack) {
  BatchQueue queue(5);
  Batch* const first = queue.try_take();
  Batch* const second = queue.try_take();
  queue.push(first);
  queue.push(second);
  queue.give_back(queue.pop());
  queue.give_back(queue.pop());
  EXPECT_EQ(queue.try_take(), second);
  EXPECT_EQ(queue.try_take(), first);
}

TEST(BatchQueue, AGivenBackBatchIsEmpty) {
  BatchQueue queue(2);
  Batch* batch = queue.try_take();
  batch->add() = {};
  Text text;
  text.handle = "x";
  EXPECT_EQ(batch->add_text(text), 0);
  batch->mark = std::make_shared<Mark>();
  batch->last = true;
  EXPECT_FALSE(batch->empty());
  queue.push(batch);
  queue.give_back(queue.pop());
  for (int i = 0; i < 2; ++i) {
    Batch* again = queue.try_take();
    ASSERT_NE(again, nullptr);
    EXPECT_TRUE(again->empty());
    EXPECT_EQ(again->size(), 0U);
    EXPECT_FALSE(again->last);
    EXPECT_TRUE(again->text_fits(Batch::kArenaBytes));
    EXPECT_EQ(again->add_text(text), 0);
  }
}

TEST(Batch, CopiesTexts) {
  Batch batch;
  std::string name = "name";
  std::string site = "site";
  Text text;
  text.display_name = name;
  text.website = site;
  const std::uint16_t place = batch.add_text(text);
  name = "gone";
  site = "gone";
  EXPECT_EQ(batch.text(place).display_name, "name");
  EXPECT_EQ(batch.text(place).website, "site");
  EXPECT_EQ(batch.text(place).description, "");
}

TEST(Batch, TextsEndWithTheArena) {
  Batch batch;
  const std::string long_text(Batch::kArenaBytes / 3, 'a');
  Text text;
  text.description = long_text;
  EXPECT_EQ(batch.add_text(text), 0);
  EXPECT_EQ(batch.add_text(text), 1);
  EXPECT_EQ(batch.add_text(text), 2);
  EXPECT_EQ(batch.add_text(text), tally::Sample::kNoText);
  EXPECT_EQ(batch.text(0).description, long_text);
  EXPECT_EQ(batch.text(2).description, long_text);
  Text nothing;
  EXPECT_EQ(batch.add_text(nothing), 3);  // needs no room
}

}  // namespace
}  // namespace geotally::pipeline
