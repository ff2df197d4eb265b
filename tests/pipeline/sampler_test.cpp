// Goal: an account has one key, one partition and one owner; times give up their offset and
// nothing else; of the texts only those travel that say something new.
#include "pipeline/sampler.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace geotally::pipeline {
namespace {

TEST(AccountKey, DependsOnNameAndSeed) {
  EXPECT_EQ(account_key("did:plc:a", 1), account_key("did:plc:a", 1));
  EXPECT_NE(account_key("did:plc:a", 1), account_key("did:plc:a", 2));
  EXPECT_NE(account_key("did:plc:a", 1), account_key("did:plc:b", 1));
  EXPECT_NE(account_key("", 0), 0U);
}

TEST(AccountKey, SpreadsOverPartitions) {
  std::vector<int> accounts(kPartitions);
  for (int i = 0; i < 64'000; ++i) {
    ++accounts[partition_of(account_key(fmt::format("did:plc:{}", i), 42))];
  }
  for (const int in_partition : accounts) {
    EXPECT_GT(in_partition, 800);
    EXPECT_LT(in_partition, 1'200);
  }
}

TEST(Partition, IsTheFirstSixBits) {
  EXPECT_EQ(partition_of(0), 0U);
  EXPECT_EQ(partition_of(UINT64_MAX), kPartitions - 1);
  for (std::uint64_t partition = 0; partition < kPartitions; ++partition) {
    EXPECT_EQ(partition_of(partition << 58), partition);
    EXPECT_EQ(partition_of((partition << 58) + ((std::uint64_t{1} << 58) - 1)), partition);
  }
}

TEST(Owner, EveryShardOwnsARangeOfItsOwn) {
  for (std::size_t shards = 1; shards <= kPartitions; ++shards) {
    std::vector<std::size_t> owned(shards);
    std::size_t before = 0;
    for (std::size_t partition = 0; partition < kPartitions; ++partition) {
      const std::size_t owner = owner_of(partition, shards);
      ASSERT_LT(owner, shards);
      ASSERT_TRUE(owner == before || owner == before + 1);  // ranges, in order
      before = owner;
      ++owned[owner];
    }
    for (const std::size_t partitions : owned) {
      EXPECT_GE(partitions, kPartitions / shards);
      EXPECT_LE(partitions, kPartitions / shards + 1);
    }
  }
}

TEST(UtcOffset, IsReadFromTheEnd) {
  EXPECT_EQ(utc_offset_of("2026-08-11T12:49:00+02:00"), 7'200);
  EXPECT_EQ(utc_offset_of("2026-08-11T12:49:00.398-03:30"), -12'600);
  EXPECT_EQ(utc_offset_of("2026-08-11T12:49:00+14:00"), 50'400);
  EXPECT_EQ(utc_offset_of("2026-08-11T12:49:00+05:45"), 20'700);
  EXPECT_EQ(utc_offset_of("2026-08-11T12:49:00+00:00"), 0);
}

TEST(UtcOffset, IsUnknownForEverythingElse) {
  for (const char* text :
       {"", "Z", "+02:00:", "2026-08-11T12:49:00Z", "2026-08-11T12:49:00.1Z",
        "2026-08-11T12:49:00-00:00", "2026-08-11T12:49:00+15:00", "2026-08-11T12:49:00+02:60",
        "2026-08-11T12:49:00+0200", "2026-08-11T12:49:00+2:00", "2026-08-11", "x+aa:bb",
        "2026-08-11T12:49:00+ 2:00", "2026-08-11T12:49:00\xff\xff\xff\xff\xff\xff"}) {
    EXPECT_EQ(utc_offset_of(text), INT32_MIN) << text;
  }
}

Event post_at(std::int64_t time_us, std::string_view text) {
  Event event;
  event.kind = EventKind::kPost;
  event.time_us = time_us;
  event.text = text;
  return event;
}

TEST(TextGate, OfAPostOnlyWithoutLanguagesAndOnceAMinute) {
  TextGate gate;
  Text text;
  const tally::AccountKey someone = 0x1234'5678'9abc'def0;
  Event event = post_at(600'000'000, "salut");
  ASSERT_TRUE(gate.text_of(event, someone, text));
  EXPECT_EQ(text.post, "salut");
  event.time_us += 59'999'999;
  EXPECT_FALSE(gate.text_of(event, someone, text));
  EXPECT_TRUE(gate.text_of(event, someone ^ (std::uint64_t{1} << 60 | 1), text));
  event.time_us += 1;
  EXPECT_TRUE(gate.text_of(event, someone, text));

  event.time_us += 60'000'000;
  event.language_count = 1;
  EXPECT_FALSE(gate.text_of(event, someone, text));
  event.language_count = 0;
  event.text = "";
  EXPECT_FALSE(gate.text_of(event, someone, text));
  event.text = "hello";
  EXPECT_TRUE(gate.text_of(event, someone, text));  // the two before have not used its turn
}

TEST(TextGate, ProfilesAndHandlesAlways) {
  TextGate gate;
  Text text;
  Event event;
  event.kind = EventKind::kProfile;
  event.display_name = "name";
  event.description = "about";
  event.website = "site";
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(gate.text_of(event, 1, text));
    EXPECT_EQ(text.display_name, "name");
    EXPECT_EQ(text.description, "about");
    EXPECT_EQ(text.website, "site");
  }
  event = {};
  event.kind = EventKind::kIdentity;
  EXPECT_FALSE(gate.text_of(event, 1, text));
  event.handle = "someone.example";
  ASSERT_TRUE(gate.text_of(event, 1, text));
  EXPECT_EQ(text.handle, "someone.example");
  EXPECT_EQ(text.display_name, "");
  for (const EventKind kind :
       {EventKind::kPostDelete, EventKind::kProfileDelete, EventKind::kAddress,
        EventKind::kAddressDelete, EventKind::kAccount}) {
    event.kind = kind;
    event.text = "text";
    EXPECT_FALSE(gate.text_of(event, 2, text));
  }
}

TEST(TextGate, CutsAtACharacter) {
  TextGate gate;
  Text text;
  std::string long_text;
  while (long_text.size() < 10'000) long_text += "\xe2\x82\xac";  // three bytes each
  ASSERT_TRUE(gate.text_of(post_at(60'000'000, long_text), 1, text));
  EXPECT_LE(text.post.size(), 512U);
  EXPECT_GE(text.post.size(), 510U);
  EXPECT_EQ(text.post.size() % 3, 0U);

  Event event;
  event.kind = EventKind::kProfile;
  event.display_name = event.description = event.website = long_text;
  ASSERT_TRUE(gate.text_of(event, 1, text));
  const std::size_t bytes =
      text.display_name.size() + text.description.size() + text.website.size();
  EXPECT_LE(bytes, Batch::kArenaBytes);  // it fits into an empty batch, so it always travels
  // Bytes that are no UTF-8 at all are cut somewhere, without reading past either end.
  const std::string tails(10'000, '\x80');
  event.display_name = tails;
  ASSERT_TRUE(gate.text_of(event, 1, text));
  EXPECT_EQ(text.display_name, "");
}

TEST(Sample, OfAPost) {
  Event event = post_at(77, "x");
  event.revision = 5;
  event.discriminator = 6;
  event.created_at = "2026-08-11T12:49:00-03:00";
  event.languages = {"pt-BR", "not a language!", "en"};
  event.language_count = 3;
  tally::Sample sample;
  sample.utc_offset_s = 1;
  sample.country = *Country::parse("FR");
  sample.text = 3;
  to_sample(event, sample);
  EXPECT_EQ(sample.kind, EventKind::kPost);
  EXPECT_EQ(sample.time_us, 77);
  EXPECT_EQ(sample.revision, 5U);
  EXPECT_EQ(sample.discriminator, 6U);
  EXPECT_EQ(sample.utc_offset_s, -10'800);
  EXPECT_FALSE(sample.country.known());  // nothing is left of what was in its place before
  EXPECT_EQ(sample.text, tally::Sample::kNoText);
  ASSERT_EQ(sample.language_count, 2);
  EXPECT_EQ(sample.languages[0], *LanguageTag::parse("pt-BR"));
  EXPECT_EQ(sample.languages[1], *LanguageTag::parse("en"));
}

TEST(Sample, OfAnAddress) {
  Event event;
  event.kind = EventKind::kAddress;
  event.record_key = 9;
  tally::Sample sample;
  const auto country_of = [&](std::string_view country) {
    event.country = country;
    to_sample(event, sample);
    return sample.country;
  };
  EXPECT_EQ(country_of("FR"), *Country::parse("FR"));
  EXPECT_EQ(country_of("fr"), *Country::parse("FR"));
  EXPECT_EQ(country_of("FRA"), *Country::parse("FR"));
  EXPECT_EQ(country_of("UK"), *Country::parse("GB"));
  EXPECT_EQ(country_of("US-CA"), *Country::parse("US"));
  for (const char* unusable : {"", "F", "France", "??", "XXX", "ZZ"}) {
    EXPECT_FALSE(country_of(unusable).known()) << unusable;
  }
  EXPECT_EQ(sample.record_key, 9U);
  EXPECT_EQ(sample.utc_offset_s, INT32_MIN);
}

TEST(Sample, OfAnAccountEvent) {
  Event event;
  event.kind = EventKind::kAccount;
  event.status = AccountStatus::kDeleted;
  event.upstream_time_us = 11;
  event.upstream_sequence = (std::uint64_t{7} << 32) | 12;
  tally::Sample sample;
  to_sample(event, sample);
  EXPECT_EQ(sample.status, AccountStatus::kDeleted);
  EXPECT_EQ(sample.upstream_time_us, 11);
  EXPECT_EQ(sample.upstream_sequence, 12U);  // the low bits
}

}  // namespace
}  // namespace geotally::pipeline
