// The bytes on disk (proto/store.md). Encoders append to a string; decoders
// answer false for bytes that no encoder writes, and leave the value unspecified.
// Encoders write format 2; decoders read format 1 as well, each record by its own
// first bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/gap.h"
#include "geo/resolver.h"
#include "tally/account.h"
#include "tally/fence.h"
#include "tally/sample.h"
#include "tally/totals.h"

namespace geotally::store {

/// An account as it is stored: what counts it, what locates it, its fence's set.
struct AccountRecord {
  tally::AccountState state;  ///< state.fence holds the floor only, state.details nothing
  tally::AccountDetails details;
  geo::EvidenceState evidence;
  std::vector<tally::FenceEntry> fence;  ///< newest first
  std::uint8_t format = 2;               ///< of the bytes that it was read from
};

/// The number of the format that is written.
inline constexpr std::uint32_t kFormat = 2;
/// The oldest that is read. Its records stay as they are until they change.
inline constexpr std::uint32_t kFormatOldest = 1;

/// What a store counts. The numbers are stored.
enum class Network : std::uint8_t {
  kNone = 0,  ///< a commit of format 1, or none yet
  kBluesky = 1,
  kMastodon = 2,
  kNostr = 3,
  kX = 4,
};
inline constexpr std::size_t kNetworks = 5;
[[nodiscard]] std::string_view to_string(Network network);

/// How far an archive was read that this store sweeps. An archive belongs to one host, and so do
/// its sequence numbers.
struct ArchivePosition {
  /// The pass that attributes archived posts once the pin is reached.
  enum class Pass : std::uint8_t { kNotBegun = 0, kAtWork = 1, kDone = 2 };

  std::string host;                 ///< empty = this store has no archive
  std::uint64_t sequence = 0;       ///< of the last row that is in the commit
  std::uint64_t bootstrap_end = 0;  ///< of the first row behind the bootstrap part; 0 = not found
  std::uint64_t pin = 0;            ///< where the archive ends and the live feed takes over
  Pass pass = Pass::kNotBegun;
  tally::AccountKey pass_reached = 0;  ///< the pass goes on with this account

  /// A store with an archive.
  [[nodiscard]] bool exists() const { return !host.empty(); }
  friend bool operator==(const ArchivePosition&, const ArchivePosition&) = default;
};

/// The state of the whole at one commit, besides accounts and cells.
struct CommitRecord {
  std::uint64_t number = 0;
  std::int64_t committed_at_us = 0;  ///< wall clock
  std::int64_t edge_us = 0;
  std::int64_t watermark_us = 0;
  std::int64_t observed_since_us = 0;
  std::int64_t ingested_until_us = 0;
  std::uint64_t gaps = 0;
  std::int64_t gap_us = 0;
  std::int64_t next_day_to_close = 0;  ///< UTC days before it have a closing row
  std::string cursor;                  ///< the feed's position, as the feed wrote it
  Network network = Network::kNone;
  std::uint32_t method = 0;  ///< version of weights and tables that counted last; 0 = not said
  /// Version of the function that puts undecided accounts into classes; 0 = none are counted, so
  /// that who counts them begins anew.
  std::uint32_t class_function = 0;
  ArchivePosition archive = {};
};

/// From where a store that was restored or rebuilt goes on (DEFINITIONS: restore and rebuild store
/// a base). All zero: it was never either.
struct CounterBase {
  std::uint64_t gaps = 0;
  std::int64_t gap_us = 0;
  /// Fence floor of accounts that the store does not know: where accounts were lost, what is
  /// replayed of theirs must not count again.
  std::uint64_t floor = 0;
  std::array<std::uint64_t, Country::kLimit> posts{};  ///< by Country::index()
  std::array<std::uint64_t, Country::kLimit> posts_deleted{};
  friend bool operator==(const CounterBase&, const CounterBase&) = default;
};

/// Where a closing row comes from. The numbers are stored.
enum class ClosingSource : std::uint8_t {
  kLive = 0,     ///< the day ended while the store was open
  kArchive = 1,  ///< the finishing pass of an archive
};

/// What a closing row says of the day itself.
struct ClosingHead {
  std::int64_t gap_us = 0;   ///< how much of it was missed
  std::uint32_t method = 0;  ///< as CommitRecord::method, at the day's end; 0 = a row of format 1
  ClosingSource source = ClosingSource::kLive;
  friend bool operator==(const ClosingHead&, const ClosingHead&) = default;
};

/// Big-endian, so that keys sort by partition and hash.
[[nodiscard]] std::string account_key(tally::AccountKey key);
[[nodiscard]] bool parse_account_key(std::string_view bytes, tally::AccountKey& key);

/// The most bytes that an account takes with so many entries in its fence.
constexpr std::size_t account_bytes_max(std::size_t fence_entries) {
  return 192 + 20 * fence_entries;
}
/// Writes to `out`, where that many have room; the end of what was written. Of `state.fence` only
/// the floor counts. `fence`: newest first. What is written is of format 2.
[[nodiscard]] char* encode_account(const tally::AccountState& state,
                                   const tally::AccountDetails& details,
                                   const geo::EvidenceState& evidence,
                                   std::span<const tally::FenceEntry> fence, char* out);
void encode_account(const AccountRecord& record, std::string& out);
/// Reads format 1 and 2; of format 1, adopt_format_1() is to be called before the record is used.
[[nodiscard]] bool decode_account(std::string_view bytes, AccountRecord& record);
/// Gives a record that was of format 1 what format 2 has beside it (DEFINITIONS: Format of the
/// store). `watermark_us`: of the store. Does nothing to others.
void adopt_format_1(AccountRecord& record, std::int64_t watermark_us);

[[nodiscard]] std::string row_key(tally::RowId id);
[[nodiscard]] bool parse_row_key(std::string_view bytes, tally::RowId& id);
/// The key of a row whose kind came later: such a row is kept as it is.
[[nodiscard]] bool is_unknown_row_key(std::string_view bytes);
void encode_row(tally::RowKind kind, const tally::Row& row, std::string& out);
[[nodiscard]] bool decode_row(std::string_view bytes, tally::RowKind kind, tally::Row& row);

using CountryTotalsArray = std::array<tally::CountryTotals, Country::kLimit>;
void encode_countries(const CountryTotalsArray& countries, std::string& out);
[[nodiscard]] bool decode_countries(std::string_view bytes, CountryTotalsArray& countries);

[[nodiscard]] std::string city_key(std::uint32_t city);
[[nodiscard]] bool parse_city_key(std::string_view bytes, std::uint32_t& city);
void encode_city(const tally::CityTotals& total, std::string& out);
[[nodiscard]] bool decode_city(std::string_view bytes, tally::CityTotals& total);

/// `head.gap_us` >= 0.
void encode_closing(const std::vector<tally::DayClosing>& closing, const ClosingHead& head,
                    std::string& out);
[[nodiscard]] bool decode_closing(std::string_view bytes, std::vector<tally::DayClosing>& closing,
                                  ClosingHead& head);

/// `commit.number` > 0. A network that is not known decodes: who opens the store says so.
void encode_commit(const CommitRecord& commit, std::string& out);
[[nodiscard]] bool decode_commit(std::string_view bytes, CommitRecord& commit);

void encode_base(const CounterBase& base, std::string& out);
[[nodiscard]] bool decode_base(std::string_view bytes, CounterBase& base);

void encode_gap(const Gap& gap, std::string& out);
[[nodiscard]] bool decode_gap(std::string_view bytes, Gap& gap);

/// A number as an eight-byte key that sorts.
[[nodiscard]] std::string number_key(std::uint64_t number);
[[nodiscard]] bool parse_number_key(std::string_view bytes, std::uint64_t& number);

}  // namespace geotally::store
