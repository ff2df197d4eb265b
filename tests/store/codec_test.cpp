// Goal: what is written is read back, and no other bytes are taken for it.
// Method: round trips of random values, then every truncation, every extension and every flipped
// bit: either they are refused, or they are the one form of another value.
#include "store/codec.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "tally/order.h"
#include "format1.h"

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
  if (record.format == 1) {  // is read, and never written again
    adopt_format_1(record, 1'750'000'000'000'000);
    std::string format_2;
    encode_account(record, format_2);
    EXPECT_TRUE(decode_account(format_2, record));
    out = bytes;
    return true;
  }
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
  if (format1::is_countries(bytes)) {
    format1::encode_countries(countries, out);
  } else {
    encode_countries(countries, out);
  }
  return true;
}

bool recode_closing(std::string_view bytes, std::string& out) {
  std::vector<tally::DayClosing> closing;
  ClosingHead head;
  if (!decode_closing(bytes, closing, head)) return false;
  if (format1::is_closing(bytes)) {
    format1::encode_closing(closing, head.gap_us, out);
  } else {
    encode_closing(closing, head, out);
  }
  return true;
}

bool recode_commit(std::string_view bytes, std::string& out) {
  CommitRecord commit;
  if (!decode_commit(bytes, commit)) return false;
  if (format1::is_commit(bytes)) {
    format1::encode_commit(commit, out);
  } else {
    encode_commit(commit, out);
  }
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
  state.flags = static_cast<std::uint8_t>(random() & 0x7f);
  state.first_day = static_cast<std::uint16_t>(random.number(16));
  state.fence.floor = random.number();
  if (random.half()) {
    record.details.identity_time_us = static_cast<std::int64_t>(random.number(62));
    record.details.identity_sequence = static_cast<std::uint32_t>(random.number(32));
  }
  if (random.half()) {
    record.details.status_time_us = static_cast<std::int64_t>(random.number(62));
    record.details.status_sequence = static_cast<std::uint32_t>(random.number(32));
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
  if (random.half()) state.city = static_cast<std::uint32_t>(random.number(24));
  if (random.half()) state.newest_key = random.number();
  if (random.half()) state.profile_revision = random.number();
  if (random.half()) state.language = static_cast<std::uint8_t>(random());
  if (random.half()) state.signature = static_cast<std::uint8_t>(random());
  if (random.half()) record.details.address_revision = random.number();
  if (random.half()) record.details.oldest_key = random.number();
  if (random.half()) {
    record.details.provisional_first_day = static_cast<std::uint16_t>(random.number(16));
  }
  if (random.half()) {
    record.details.telling = {.revision = random.number(63) + 1,
                              .newest_key = random.number(),
                              .last_key = random.number(),
                              .witnessed_us = static_cast<std::int64_t>(random.number(62)),
                              .awaits_first = random.half()};
    state.set(tally::AccountState::kTelling, true);
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
          EXPECT_EQ(a.state.posts, b.state.posts);
  EXPECT_EQ(a.state.last_post_s, b.state.last_post_s);
  EXPECT_EQ(a.state.days, b.state.days);
  EXPECT_EQ(a.state.declared, b.state.declared);
  EXPECT_EQ(a.state.address_key, b.state.address_key);
  EXPECT_EQ(a.state.country, b.state.country);
  EXPECT_EQ(a.state.evidence, b.state.evidence);
  EXPECT_EQ(a.state.confidence, b.state.confidence);
  EXPECT_EQ(a.state.city, b.state.city);
  EXPECT_EQ(a.state.newest_key, b.state.newest_key);
  EXPECT_EQ(a.state.profile_revision, b.state.profile_revision);
  EXPECT_EQ(a.state.language, b.state.language);
  EXPECT_EQ(a.state.signature, b.state.signature);
  EXPECT_EQ(a.details, b.details);
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
        // Format 1.
        bytes_of({0x40, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}),  // 34 G fence entries
        bytes_of({0x80, 0, 0, 0, 0}),                                // a city of 0
        bytes_of({0, 0x10, 0, 0, 0}),                                // an unknown flag
        bytes_of({0x10, 0, 0, 0, 0}, "fr\x01\x05"),                  // lower case
        bytes_of({0x10, 0, 0, 0, 0}, "AA\x01\x05"),                  // no country
        bytes_of({0x10, 0, 0, 0, 0}, "FR\x08\x05"),                  // no evidence kind
        bytes_of({0, 0, 0, 0, 0x80, 0}),                             // two bytes for 0
        bytes_of({0x20, 0, 0, 0, 0, kTooMuch}, std::string(kTooMuch, 'x')),
        // Format 2.
        bytes_of({0x08, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}),  // 34 G fence entries
        bytes_of({0x80, 0x80, 0, 0, 0, 0}),                             // no more parts after all
        bytes_of({0x80, 0x80, 0x80, 0x02, 0, 0, 0}),                    // an unknown part
        bytes_of({0x10, 0x80, 0, 0, 0, 0}),                             // a newest key of 0
        bytes_of({0x20, 0x80, 0, 0, 0, 0, 0}),                          // no language
        bytes_of({0x02, 0x80, 0, 0, 0}, "fr\x01\x05"),                  // lower case
        bytes_of({0x02, 0x80, 0, 0, 0}, "FR\x08\x05"),                  // no evidence kind
        bytes_of({0, 0x80, 0, 0, 0x80, 0}),                             // two bytes for 0
        bytes_of({0x04, 0x80, 0, 0, 0, kTooMuch}, std::string(kTooMuch, 'x'))}) {
    EXPECT_FALSE(decode_account(bytes, record)) << testing::PrintToString(bytes);
  }
}

// The example of format 1, as it stood in proto/store.md while that was written.
std::string account_of_format_1() {
  std::string bytes;
  for (const unsigned byte :
       {0xff, 0x09, 0x84, 0x4e, 0x80, 0x80, 0xf8, 0x89, 0xef, 0xfd, 0x89, 0xaf, 0x1a, 0x00, 0x60,
        0x5b, 0xa0, 0x9d, 0x37, 0x06, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x41, 0x51, 0xa6, 0x9d,
        0x37, 0x06, 0x00, 0x06, 0x00, 0x00, 0x00, 0x48, 0xe2, 0x4e, 0x68, 0xac, 0x02, 0x05, 0x46,
        0x52, 0x34, 0x12, 0x46, 0x52, 0x01, 0xff, 0x03, 0x01, 0x00, 0x02, 0x01, 0x01, 0x00, 0x3e,
        0xf1, 0xee, 0x27, 0x5e, 0x1a, 0x00, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x48, 0xe2,
        0x4e, 0x68, 0xd0, 0xf5, 0xb6, 0x01}) {
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

TEST(Codec, AnAccountOfFormat1IsReadAsItIs) {
  AccountRecord record;
  ASSERT_TRUE(decode_account(account_of_format_1(), record));
  EXPECT_EQ(record.format, 1);
  EXPECT_EQ(record.state.flags,
            tally::AccountState::kKnown | tally::AccountState::kSecondDay);
  EXPECT_EQ(record.state.first_day, 20'100);
  EXPECT_EQ(record.state.fence.floor, 1'900'000'000'000'000'000U);
  EXPECT_EQ(record.details.identity_time_us, 1'750'000'000'000'000);
  EXPECT_EQ(record.details.identity_sequence, 5U);
  EXPECT_EQ(record.details.status_time_us, 1'750'000'100'000'000);
  EXPECT_EQ(record.details.status_sequence, 6U);
  EXPECT_EQ(record.state.last_post_s, 1'750'000'200U);
  EXPECT_EQ(record.state.posts, 300U);
  EXPECT_EQ(record.state.days, 0b101U);
  EXPECT_EQ(record.state.declared.code(), "FR");
  EXPECT_EQ(record.state.address_key, 0x1234);
  EXPECT_EQ(record.state.country.code(), "FR");
  EXPECT_EQ(record.state.evidence, EvidenceKind::kExplicit);
  EXPECT_EQ(record.state.confidence, 255);
  EXPECT_EQ(record.state.city, 2'996'944U);
  ASSERT_EQ(record.fence.size(), 1U);
  EXPECT_EQ(record.fence[0].tag, 0x1122334455667700U);
  // Every truncation of it is refused.
  const std::string bytes = account_of_format_1();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    AccountRecord unused;
    EXPECT_FALSE(decode_account(bytes.substr(0, cut), unused)) << cut;
  }
}

// DEFINITIONS, Format of the store: "its N = its newest revision + 10 min, at most the watermark +
// 10 min; it counts as told".
TEST(Codec, AnAccountOfFormat1CountsAsToldUpToItsNewestRevision) {
  AccountRecord record;
  ASSERT_TRUE(decode_account(account_of_format_1(), record));
  const std::uint64_t newest = record.fence[0].revision;
  const std::int64_t newest_us = tally::time_of(newest);
  AccountRecord adopted = record;
  adopt_format_1(adopted, newest_us + 1'000'000);
  EXPECT_EQ(adopted.state.newest_key, tally::last_order_of(newest_us + 600'000'000));
  EXPECT_TRUE(adopted.state.has(tally::AccountState::kTold));
  EXPECT_EQ(adopted.fence[0].revision, newest);
  EXPECT_EQ(adopted.state.fence.floor, record.state.fence.floor);

  std::string bytes;
  encode_account(adopted, bytes);
  AccountRecord again;
  ASSERT_TRUE(decode_account(bytes, again));
  EXPECT_EQ(again.format, 2);
  expect_same(adopted, again);
}

// "No floor ever rises above witnessed + 10 min …; floors and sets of a format 1 store are capped
// likewise when they are read."
TEST(Codec, ARevisionFromTheFutureInFormat1IsCapped) {
  AccountRecord record;
  ASSERT_TRUE(decode_account(account_of_format_1(), record));
  const std::int64_t watermark_us = tally::time_of(record.state.fence.floor) - 7'200'000'000;
  adopt_format_1(record, watermark_us);
  const std::uint64_t most = tally::last_order_of(watermark_us + 600'000'000);
  EXPECT_EQ(record.state.fence.floor, most);
  EXPECT_EQ(record.fence[0].revision, most);
  EXPECT_EQ(record.state.newest_key, most);
  std::string bytes;
  encode_account(record, bytes);
  EXPECT_TRUE(decode_account(bytes, record));
}

TEST(Codec, OfFormat1AnAccountWithNothingButAFloorCountsAsErased) {
  AccountRecord record;
  ASSERT_TRUE(decode_account(std::string("\0\0\0\0\x05", 5), record));
  adopt_format_1(record, 1'750'000'000'000'000);
  EXPECT_TRUE(record.state.erased());
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
  CountryTotalsArray countries{};
  for (int i = 0; i < 5; ++i) {
    tally::CountryTotals& country = countries[random.country().index()];
    country.posts = random.number();
    country.confidence = random.number();
    country.automated = random.number();
    country.bridged = random.number();
    country.evidence[random() % kEvidenceKinds] = random.number();
  }
  std::string bytes;
  encode_countries(countries, bytes);
  CountryTotalsArray decoded{};
  ASSERT_TRUE(decode_countries(bytes, decoded));
  EXPECT_EQ(decoded, countries);
  expect_only_own_bytes(bytes, recode_countries);

  // Format 1 did not know who is a program or another network's.
  bytes.clear();
  format1::encode_countries(countries, bytes);
  ASSERT_TRUE(decode_countries(bytes, decoded));
  for (tally::CountryTotals& country : countries) country.automated = country.bridged = 0;
  EXPECT_EQ(decoded, countries);
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
  std::vector<tally::DayClosing> decoded;
  ClosingHead decoded_head;
  for (const ClosingHead& head :
       {ClosingHead{0, 0, ClosingSource::kLive}, ClosingHead{5, 300, ClosingSource::kArchive},
        ClosingHead{INT64_MAX, UINT32_MAX, ClosingSource::kLive}}) {
    std::string bytes;
    encode_closing(closing, head, bytes);
    ASSERT_TRUE(decode_closing(bytes, decoded, decoded_head));
    EXPECT_EQ(decoded_head, head);
    expect_only_own_bytes(bytes, recode_closing);

    // Format 1 did not say by which method.
    bytes.clear();
    format1::encode_closing(closing, head.gap_us, bytes);
    ASSERT_TRUE(decode_closing(bytes, decoded, decoded_head));
    EXPECT_EQ(decoded_head, (ClosingHead{head.gap_us, 0, ClosingSource::kLive}));
    expect_only_own_bytes(bytes, recode_closing);
  }
  // Nothing is missed less than not at all; that is how the two are told apart.
  std::string bytes;
  encode_closing(closing, {-1, 0, ClosingSource::kLive}, bytes);
  EXPECT_FALSE(decode_closing(bytes, decoded, decoded_head));
}

TEST(Codec, CommitsAndGapsComeBack) {
  CommitRecord commit{12, 3, -4, 5, 6, 7, 8, 9, 20'000, std::string("a\0cursor", 8)};
  const auto expect_back = [&commit](const std::string& bytes) {
    CommitRecord decoded;
    decoded.archive.host = "what was there before";
    ASSERT_TRUE(decode_commit(bytes, decoded));
    EXPECT_EQ(decoded.number, 12U);
    EXPECT_EQ(decoded.edge_us, -4);
    EXPECT_EQ(decoded.gaps, 8U);
    EXPECT_EQ(decoded.next_day_to_close, 20'000);
    EXPECT_EQ(decoded.cursor, commit.cursor);
    EXPECT_EQ(decoded.network, commit.network);
    EXPECT_EQ(decoded.method, commit.method);
    EXPECT_EQ(decoded.class_function, commit.class_function);
    EXPECT_EQ(decoded.archive, commit.archive);
    EXPECT_EQ(decoded.archive.exists(), !commit.archive.host.empty());
    expect_only_own_bytes(bytes, recode_commit);
  };
  std::string bytes;
  format1::encode_commit(commit, bytes);
  expect_back(bytes);
  bytes.clear();
  encode_commit(commit, bytes);
  expect_back(bytes);
  commit.network = Network::kX;
  commit.method = 300;
  commit.class_function = 7;
  bytes.clear();
  encode_commit(commit, bytes);
  expect_back(bytes);
  using Pass = ArchivePosition::Pass;
  for (const ArchivePosition& archive :
       {ArchivePosition{"a.example", 0, 0, 0, Pass::kNotBegun, 0},
        ArchivePosition{"a.example", 5'000'000, 300, 0, Pass::kNotBegun, 0},
        ArchivePosition{"a.example", UINT64_MAX, 300, 5'000'000, Pass::kAtWork, UINT64_MAX},
        ArchivePosition{"a.example", 5'000'000, 300, 5'000'000, Pass::kDone, 0}}) {
    commit.archive = archive;
    bytes.clear();
    encode_commit(commit, bytes);
    expect_back(bytes);
  }

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
  EXPECT_TRUE(is_unknown_row_key(std::string("\x05\0\0\0\0", 5)));
  EXPECT_TRUE(is_unknown_row_key(std::string("\xff\0\0\0\0", 5)));
  EXPECT_FALSE(is_unknown_row_key(std::string("\x04\0\0\0\0", 5)));
  EXPECT_FALSE(is_unknown_row_key(std::string("\x05\0\0\0", 4)));
  EXPECT_FALSE(is_unknown_row_key(""));
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
