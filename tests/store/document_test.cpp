// Goal: proto/store.md says what is written.
// Method: its example, byte for byte, and its numbers.
#include <fstream>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feed/dialect.h"
#include "store/codec.h"

namespace geotally::store {
namespace {

std::string document() {
  std::ifstream in(STORE_DOCUMENT);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The bytes of an example: the first cells of its table.
std::string example(const std::string& heading = "### An example") {
  const std::string text = document();
  const std::size_t begin = text.find(heading + "\n");
  if (begin == std::string::npos) return {};
  std::istringstream lines(text.substr(begin, text.find("\n##", begin + 1) - begin));
  const std::regex row("\\| `([0-9a-f ]+)` \\|.*");
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    std::istringstream words(match[1]);
    for (std::string word; words >> word;) {
      bytes.push_back(static_cast<char>(std::stoul(word, nullptr, 16)));
    }
  }
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x} ", static_cast<std::uint8_t>(c));
  return out;
}

AccountRecord golden() {
  AccountRecord record;
  tally::AccountState& state = record.state;
  state.flags = tally::AccountState::kKnown | tally::AccountState::kSecondDay |
                tally::AccountState::kTold | tally::AccountState::kBridged |
                tally::AccountState::kTelling;
  state.first_day = 20'100;
  state.fence.floor = 1'900'000'000'000'000'000;
  state.newest_key = 1'900'000'000'000'000'009;
  state.profile_revision = 1'899'999'999'999'999'901;
  state.last_post_s = 1'750'000'200;
  state.posts = 300;
  state.days = 0b101;
  state.declared = *Country::parse("FR");
  state.address_key = 0x1234;
  state.country = *Country::parse("FR");
  state.evidence = EvidenceKind::kExplicit;
  state.confidence = 255;
  state.city = 2'996'944;
  state.language = 3;
  state.signature = 17;
  tally::AccountDetails& details = record.details;
  details.identity_time_us = 1'750'000'000'000'000;
  details.identity_sequence = 5;
  details.status_time_us = 1'750'000'100'000'000;
  details.status_sequence = 6;
  details.address_revision = 1'899'999'999'999'999'801;
  details.oldest_key = 1'899'999'999'999'000'001;
  details.provisional_first_day = 20'099;
  details.telling = {.revision = 1'900'000'000'000'000'002,
                     .newest_key = 1'900'000'000'000'000'007,
                     .last_key = 1'899'999'999'999'999'909,
                     .witnessed_us = 1'750'000'200'000'000,
                     .awaits_first = true};
  record.evidence.bytes[0] = 1;
  record.evidence.bytes[2] = 2;
  record.fence.push_back({1'900'000'000'000'000'001, 0x1122334455667700, 1'750'000'200, 0});
  return record;
}

TEST(Document, TheExampleIsWhatIsWritten) {
  std::string bytes;
  encode_account(golden(), bytes);
  EXPECT_EQ(hex(bytes), hex(example()));
  AccountRecord record;
  ASSERT_TRUE(decode_account(example(), record));
  std::string again;
  encode_account(record, again);
  EXPECT_EQ(again, bytes);
}

TEST(Document, TheExampleOfACommitIsWhatIsWritten) {
  CommitRecord commit;
  commit.number = 300;
  commit.committed_at_us = 1'750'000'200'000'001;
  commit.edge_us = 1'750'000'200'000'000;
  commit.watermark_us = 1'750'000'200'000'000;
  commit.observed_since_us = 1'750'000'000'000'000;
  commit.ingested_until_us = 1'750'000'200'000'000;
  commit.gaps = 2;
  commit.gap_us = 10'000'000;
  commit.next_day_to_close = 20'245;
  commit.network = Network::kBluesky;
  commit.method = 5;
  commit.archive.host = "a.example";
  commit.archive.sequence = 10'000'000;
  commit.archive.bootstrap_end = 1'000'000;
  commit.archive.pin = 20'000'000;
  commit.archive.pass = ArchivePosition::Pass::kAtWork;
  commit.archive.pass_reached = 0x1122334455667788;
  commit.cursor = "\x01\x02";
  std::string bytes;
  encode_commit(commit, bytes);
  EXPECT_EQ(hex(bytes), hex(example("### Example of a commit record")));
}

TEST(Document, TheExampleOfCountryTotalsIsWhatIsWritten) {
  CountryTotalsArray countries{};
  tally::CountryTotals& france = countries[Country::parse("FR")->index()];
  france = {.posts = 1'000,
            .posts_deleted = 10,
            .accounts = 100,
            .never = 30,
            .once = 20,
            .confidence = 12'700,
            .automated = 2,
            .bridged = 3,
            .evidence = {50, 50}};
  std::string bytes;
  encode_countries(countries, bytes);
  EXPECT_EQ(hex(bytes), hex(example("### Example of country totals")));
}

TEST(Document, TheExampleOfAClosingRowIsWhatIsWritten) {
  std::vector<tally::DayClosing> closing(Country::count());
  closing[Country::parse("FR")->index()] = {.accounts = 100,
                                            .engagement = {10, 20, 30, 40},
                                            .active = {1, 2, 3, 4},
                                            .evidence = {50, 50}};
  std::string bytes;
  encode_closing(closing, {10'000'000, 5, ClosingSource::kLive}, bytes);
  EXPECT_EQ(hex(bytes), hex(example("### Example of a closing row")));
}

TEST(Document, AnAccountKeepsItsBudget) {
  AccountRecord record = golden();
  record.evidence.bytes.fill(0xff);
  record.fence.clear();
  record.state.fence.floor = UINT64_MAX;
  record.state.newest_key = UINT64_MAX / 2;
  record.state.profile_revision = UINT64_MAX / 2;
  record.state.posts = UINT32_MAX;
  record.state.days = UINT32_MAX;
  record.state.city = (1U << 24) - 1;
  record.details.address_revision = UINT64_MAX / 2;
  record.details.oldest_key = UINT64_MAX / 2;
  record.details.telling.revision = UINT64_MAX / 2;
  record.details.telling.newest_key = UINT64_MAX;
  record.details.telling.last_key = UINT64_MAX;
  std::string bytes;
  encode_account(record, bytes);
  EXPECT_LE(bytes.size(), 179U);
  EXPECT_NE(document().find("| **usual sum** | **38–57** | **179** |"), std::string::npos);

  // Somebody who posts in two languages and whose profile names a city.
  AccountRecord usual;
  usual.state.flags = tally::AccountState::kKnown;
  usual.state.first_day = 20'100;
  usual.state.fence.floor = 1'900'000'000'000'000'000;
  usual.state.newest_key = usual.state.fence.floor - (std::uint64_t{800'000} << 10);
  usual.state.last_post_s = 1'750'000'200;
  usual.state.posts = 300;
  usual.state.days = 0xffff;
  usual.state.country = *Country::parse("FR");
  usual.state.evidence = EvidenceKind::kPlace;
  usual.state.confidence = 240;
  usual.state.city = 2'996'944;
  std::fill_n(usual.evidence.bytes.begin(), 20, std::uint8_t{0xaa});
  bytes.clear();
  encode_account(usual, bytes);
  EXPECT_LE(bytes.size(), 57U);
}

// A number of a frozen list, as "N name" in its row of the table.
TEST(Document, TheNumbersAreFrozen) {
  const std::string text = document();
  const std::string numbers = text.substr(text.find("## Numbers"));
  const auto expect = [&](auto number, std::string_view name) {
    const std::string entry = fmt::format("{} {}", static_cast<unsigned>(number), name);
    EXPECT_TRUE(std::regex_search(numbers, std::regex("[ |]" + entry + "[ ,|]"))) << entry;
  };
  for (std::size_t i = 0; i < kEvidenceKinds; ++i)
    expect(i, to_string(static_cast<EvidenceKind>(i)));
  expect(tally::RowKind::kSecond, "second");
  expect(tally::RowKind::kMinute, "minute");
  expect(tally::RowKind::kHour, "hour");
  expect(tally::RowKind::kDay, "day");
  expect(tally::RowKind::kLapse, "lapse");
  EXPECT_EQ(tally::kRowKinds, 5U) << "the kinds above are reserved";
  for (std::size_t i = 0; i < kNetworks; ++i) expect(i, to_string(static_cast<Network>(i)));
  expect(ArchivePosition::Pass::kNotBegun, "not begun");
  expect(ArchivePosition::Pass::kAtWork, "at work");
  expect(ArchivePosition::Pass::kDone, "done");
  expect(ClosingSource::kLive, "live");
  expect(ClosingSource::kArchive, "archive");
  expect(tally::AccountState::kKnown, "known");
  expect(tally::AccountState::kGone, "gone");
  expect(tally::AccountState::kDeleted, "deleted");
  expect(tally::AccountState::kSecondDay, "second day");
  expect(tally::AccountState::kTold, "told");
  expect(tally::AccountState::kAutomated, "automated");
  expect(tally::AccountState::kBridged, "bridged");
  expect(tally::FenceTopic::kOther, "other");
  expect(tally::FenceTopic::kProfile, "profile");
  expect(tally::FenceTopic::kAddress, "address");
  expect(tally::FenceTopic::kAddressGone, "address gone");
  for (const feed::Wire wire : {feed::Wire::kJetstreamV1, feed::Wire::kJetstreamV2}) {
    expect(wire, feed::to_string(wire));
  }
}

}  // namespace
}  // namespace geotally::store
