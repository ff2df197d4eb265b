// Goal: what is written is read back, and no other bytes are taken for it.
// Method: round trips of random values, then every truncation, every extension and every flipped
// bit: either they are refused, or they are the one form of another value.
#include "store/codec.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>

namespace geotally::store {
namespace {

using Recode = std::function<bool(std::string_view, std::string&)>;  // decodes, encodes again

void expect_only_own_bytes(const std::string& bytes, const Recode& recode) {
  std::string again;
  ASSERT_TRUE(recode(bytes, again));
  ASSERT_EQ(again, bytes);
  const auto judge = [&](const std::string& hostile) {
    // Of its own size, so that a sanitizer sees a read beyond the end.
    const std::vector<char> exact(hostile.begin(), hostile.end());
    std::string out;
    if (recode({exact.data(), exact.size()}, out)) {
      EXPECT_EQ(out, hostile);
    }
  };
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) judge(bytes.substr(0, cut));
  for (int byte = 0; byte < 256; ++byte) judge(bytes + static_cast<char>(byte));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    judge(flipped);
  }
}

bool recode_account(std::string_view bytes, std::string& out) {
  AccountRecord record;
  if (!decode_account(bytes, record)) return false;
  encode_account(record, out);
  return true;
}

Recode recode_row(tally::RowKind kind) {
  return [kind](std::string_view bytes, std::string& out) {
    tally::Row row;
    if (!decode_row(bytes, kind, row)) return false;
    encode_row(kind, row, out);
    return true;
  };
}

bool recode_countries(std::string_view bytes, std::string& out) {
  CountryTotalsArray countries;
  if (!decode_countries(bytes, countries)) return false;
  tally::Totals totals;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    totals.load_country(Country::from_index(i)) = countries[i];
  }
  encode_countries(totals, out);
  return true;
}

bool recode_closing(std::string_view bytes, std::string& out) {
  std::vector<tally::DayClosing> closing;
  std::int64_t gap_us = 0;
  if (!decode_closing(bytes, closing, gap_us)) return false;
  encode_closing(closing, gap_us, out);
  return true;
}

bool recode_commit(std::string_view bytes, std::string& out) {
  CommitRecord commit;
  if (!decode_commit(bytes, commit)) return false;
  encode_commit(commit, out);
  return true;
}

bool recode_gap(std::string_view bytes, std::string& out) {
  Gap gap;
  if (!decode_gap(bytes, gap)) return false;
  encode_gap(gap, out);
  return true;
}

class Random {
 public:
  std::uint64_t operator()() { return engine_(); }
  bool half() { return (engine_() & 1) != 0; }
  /// Small numbers as often as large ones.
  std::uint64_t number(unsigned bits = 64) { return (*this)() >> (64 - 1 - (*this)() % bits); }
  Country country() { return Country::from_index((*this)() % Country::count()); }

 private:
  std::mt19937_64 engine_{20250101};
};

AccountRecord random_account(Random& random) {
  AccountRecord record;
  tally::AccountState& state = record.state;
  state.flags = static_cast<std::uint8_t>(random() & 15);
  state.first_day = static_cast<std::uint16_t>(random.number(16));
  state.fence.floor = random.number();
  if (random.half()) {
    state.identity_time_us = static_cast<std::int64_t>(random.number(62));
    state.identity_sequence = static_cast<std::uint32_t>(random.number(32));
  }
  if (random.half()) {
    state.status_time_us = static_cast<std::int64_t>(random.number(62));
    state.status_sequence = static_cast<std::uint32_t>(random.number(32));
  }
  if (random.half()) {
    state.posts = static_cast<std::uint32_t>(1 + random.number(31));
    state.last_post_s = static_cast<std::uint32_t>(random.number(32));
    state.days = static_cast<std::uint32_t>(random.number(32));
  }
  if (random.half()) {
    state.declared = random.country();
    state.address_key = static_cast<std::uint16_t>(random());
  }
  if (random.half()) {
    state.country = random.country();
    state.evidence = static_cast<EvidenceKind>(random() % kEvidenceKinds);
  }
  if (random.half()) state.confidence = static_cast<std::uint8_t>(random());
  if (random.half()) {
    for (auto& byte : record.evidence.bytes) byte = static_cast<std::uint8_t>(random());
  }
  if (random.half()) {
    std::uint64_t revision = std::max<std::uint64_t>(state.fence.floor, UINT64_MAX / 2);
    for (std::size_t i = random() % 5; i > 0; --i) {
      revision += random.number(20);
      record.fence.insert(record.fence.begin(),
                          {revision, random(), static_cast<std::uint32_t>(random()), 0});
    }
  }
  return record;
}

void expect_same(const AccountRecord& a, const AccountRecord& b) {
  EXPECT_EQ(a.state.flags, b.state.flags);
  EXPECT_EQ(a.state.first_day, b.state.first_day);
  EXPECT_EQ(a.state.fence.floor, b.state.fence.floor);
  EXPECT_EQ(a.state.identity_time_us, b.state.identity_time_us);
  EXPECT_EQ(a.state.identity_sequence, b.state.identity_sequence);
  EXPECT_EQ(a.state.status_time_us, b.state.status_time_us);
  EXPECT_EQ(a.state.status_sequence, b.state.status_sequence);
  EXPECT_EQ(a.state.posts, b.state.posts);
  EXPECT_EQ(a.state.last_post_s, b.state.last_post_s);
  EXPECT_EQ(a.state.days, b.state.days);
  EXPECT_EQ(a.state.declared, b.state.declared);
  EXPECT_EQ(a.state.address_key, b.state.address_key);
  EXPECT_EQ(a.state.country, b.state.country);
  EXPECT_EQ(a.state.evidence, b.state.evidence);
  EXPECT_EQ(a.state.confidence, b.state.confidence);
  EXPECT_EQ(a.evidence, b.evidence);
  ASSERT_EQ(a.fence.size(), b.fence.size());
  for (std::size_t i = 0; i < a.fence.size(); ++i) {
    EXPECT_EQ(a.fence[i].revision, b.fence[i].revision);
    EXPECT_EQ(a.fence[i].tag, b.fence[i].tag);
    EXPECT_EQ(a.fence[i].seen_s, b.fence[i].seen_s);
  }
}

TEST(Codec, AccountsComeBack) {
  Random random;
  for (int i = 0; i < 2'000; ++i) {
    const AccountRecord record = random_account(random);
    std::string bytes;
    encode_account(record, bytes);
    AccountRecord decoded;
    decoded.state.posts = 77;  // what was there before does not shine through
    decoded.fence.resize(3);
    ASSERT_TRUE(decode_account(bytes, decoded));
    expect_same(record, decoded);
    if (i < 100) expect_only_own_bytes(bytes, recode_account);
  }
}

TEST(Codec, AnAccountBelowTheThresholdKeepsItsConfidence) {
  AccountRecord record;
  record.state.confidence = 100;
  std::string bytes;
  encode_account(record, bytes);
  AccountRecord decoded;
  ASSERT_TRUE(decode_account(bytes, decoded));
  EXPECT_EQ(decoded.state.confidence, 100);
}

TEST(Codec, AFullFenceComesBack) {
  AccountRecord record;
  for (std::uint64_t i = 2 * tally::FencePool::kKept; i > 0; --i) {
    record.fence.push_back({i * 1'000, i, 5, 0});
  }
  std::string bytes;
  encode_account(record, bytes);
  AccountRecord decoded;
  ASSERT_TRUE(decode_account(bytes, decoded));
  expect_same(record, decoded);

  record.fence.push_back({1, 1, 1, 0});  // one more than a fence ever holds
  bytes.clear();
  encode_account(record, bytes);
  EXPECT_FALSE(decode_account(bytes, decoded));
}

TEST(Codec, ForeignAccountsAreRefused) {
  constexpr std::size_t kTooMuch = sizeof(geo::EvidenceState) + 1;
  const auto bytes_of = [](std::initializer_list<unsigned> values, std::string_view rest = "") {
    std::string bytes;
    for (const unsigned value : values) bytes.push_back(static_cast<char>(value));
    return bytes.append(rest);
  };
  AccountRecord record;
  for (const std::string& bytes :
       {bytes_of({}), bytes_of({0}), std::string(100, '\xff'), std::string(100, '\0'),
        bytes_of({0x40, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}),  // 34 G fence entries
        bytes_of({0x80, 0, 0, 0, 0}),                                // an unknown part
        bytes_of({0, 0x10, 0, 0, 0}),                                // an unknown flag
        bytes_of({0x10, 0, 0, 0, 0}, "fr\x01\x05"),                  // lower case
        bytes_of({0x10, 0, 0, 0, 0}, "AA\x01\x05"),                  // no country
        bytes_of({0x10, 0, 0, 0, 0}, "FR\x08\x05"),                  // no evidence kind
        bytes_of({0, 0, 0, 0, 0x80, 0}),                             // two bytes for 0
        bytes_of({0x20, 0, 0, 0, 0, kTooMuch}, std::string(kTooMuch, 'x'))}) {
    EXPECT_FALSE(decode_account(bytes, record)) << testing::PrintToString(bytes);
  }
}

TEST(Codec, RowsComeBack) {
  Random random;
  for (std::size_t i = 0; i < tally::kRowKinds; ++i) {
    const auto kind = static_cast<tally::RowKind>(i);
    const bool day = kind == tally::RowKind::kDay;
    tally::Row row;
    if (day) row.deleted.resize(Country::kLimit);
    std::string empty;
    encode_row(kind, row, empty);
    EXPECT_TRUE(empty.empty());
    for (int n = 0; n < 8; ++n) {
      const std::size_t at = random.country().index();
      row.posts[at] = random.number();
      row.accounts[at] = static_cast<std::uint32_t>(random.number(32));
      if (day) row.deleted[at] = static_cast<std::uint32_t>(random.number(32));
    }
    std::string bytes;
    encode_row(kind, row, bytes);
    tally::Row decoded;
    ASSERT_TRUE(decode_row(bytes, kind, decoded));
    EXPECT_EQ(decoded.posts, row.posts);
    EXPECT_EQ(decoded.accounts, row.accounts);
    EXPECT_EQ(decoded.deleted, row.deleted);
    expect_only_own_bytes(bytes, recode_row(kind));
  }
}

TEST(Codec, CountriesComeBack) {
  Random random;
  tally::Totals totals;
  for (int i = 0; i < 5; ++i) {
    tally::CountryTotals& country = totals.load_country(random.country());
    country.posts = random.number();
    country.confidence = random.number();
    country.evidence[random() % kEvidenceKinds] = random.number();
  }
  std::string bytes;
  encode_countries(totals, bytes);
  expect_only_own_bytes(bytes, recode_countries);
}

TEST(Codec, ClosingRowsComeBack) {
  Random random;
  std::vector<tally::DayClosing> closing(Country::count());
  for (int i = 0; i < 4; ++i) {
    tally::DayClosing& row = closing[random.country().index()];
    row.accounts = 1 + random.number(40);
    row.engagement[random() % row.engagement.size()] = random.number(40);
    row.active[random() % row.active.size()] = random.number(40);
  }
  for (const std::int64_t gap_us : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    std::string bytes;
    encode_closing(closing, gap_us, bytes);
    std::vector<tally::DayClosing> decoded;
    std::int64_t decoded_gap_us = 1;
    ASSERT_TRUE(decode_closing(bytes, decoded, decoded_gap_us));
    EXPECT_EQ(decoded_gap_us, gap_us);
    expect_only_own_bytes(bytes, recode_closing);
  }
}

TEST(Codec, CommitsAndGapsComeBack) {
  CommitRecord commit{12, 3, -4, 5, 6, 7, 8, 9, 20'000, std::string("a\0cursor", 8)};
  std::string bytes;
  encode_commit(commit, bytes);
  CommitRecord decoded;
  ASSERT_TRUE(decode_commit(bytes, decoded));
  EXPECT_EQ(decoded.number, 12U);
  EXPECT_EQ(decoded.edge_us, -4);
  EXPECT_EQ(decoded.gaps, 8U);
  EXPECT_EQ(decoded.next_day_to_close, 20'000);
  EXPECT_EQ(decoded.cursor, commit.cursor);
  expect_only_own_bytes(bytes, recode_commit);

  const Gap gap{1'750'000'000'000'000, 1'750'000'001'000'000, "server_closed"};
  bytes.clear();
  encode_gap(gap, bytes);
  Gap decoded_gap;
  ASSERT_TRUE(decode_gap(bytes, decoded_gap));
  EXPECT_EQ(decoded_gap, gap);
  expect_only_own_bytes(bytes, recode_gap);
}

TEST(Codec, KeysSort) {
  EXPECT_LT(account_key(1), account_key(256));
  EXPECT_LT(account_key(UINT64_MAX / 2), account_key(UINT64_MAX));
  EXPECT_LT(number_key(255), number_key(256));
  EXPECT_LT(row_key({tally::RowKind::kSecond, UINT32_MAX}), row_key({tally::RowKind::kMinute, 0}));
  EXPECT_LT(row_key({tally::RowKind::kHour, 255}), row_key({tally::RowKind::kHour, 256}));

  tally::RowId id;
  ASSERT_TRUE(parse_row_key(row_key({tally::RowKind::kLapse, 20'301}), id));
  EXPECT_EQ(id, (tally::RowId{tally::RowKind::kLapse, 20'301}));
  EXPECT_FALSE(parse_row_key("", id));
  EXPECT_FALSE(parse_row_key(std::string("\x05\0\0\0\0", 5), id));
  EXPECT_FALSE(parse_row_key(std::string("\x01\0\0\0", 4), id));
  tally::AccountKey key = 0;
  EXPECT_FALSE(parse_account_key("1234567", key));
  EXPECT_FALSE(parse_account_key("123456789", key));
}

TEST(Codec, RandomBytesNeverCrash) {
  Random random;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 80, '\0');
    for (char& c : bytes) c = static_cast<char>(random() & (random.half() ? 0xff : 0x7f));
    std::string out;
    for (const Recode& recode :
         {Recode(recode_account), recode_row(tally::RowKind::kSecond),
          recode_row(tally::RowKind::kDay), Recode(recode_countries), Recode(recode_closing),
          Recode(recode_commit), Recode(recode_gap)}) {
      out.clear();
      if (recode(bytes, out)) {
        EXPECT_EQ(out, bytes);
      }
    }
  }
}

}  // namespace
}  // namespace geotally::store
