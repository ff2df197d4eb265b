#include "store/codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "tally/order.h"

namespace geotally::store {
namespace {

// --- primitives: little-endian fixed width, and LEB128 -----------------------------------

template <typename Integer>
void put(std::string& out, Integer value) {
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Signed numbers near zero stay short.
void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void put_country(std::string& out, Country country) { out.append(country.code()); }

// The same into memory that has room.
class Writer {
 public:
  explicit Writer(char* out) : out_(out) {}

  template <typename Integer>
  void put(Integer value) {
    put_bytes(&value, sizeof value);
  }
  void put_varint(std::uint64_t value) {
    while (value >= 0x80) {
      *out_++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *out_++ = static_cast<char>(value);
  }
  void put_country(Country country) { put_bytes(country.code().data(), 2); }
  /// How far `value` is from `from`, modulo 2^64; short when they are near to each other.
  void put_distance(std::uint64_t from, std::uint64_t value) {
    const auto distance = static_cast<std::int64_t>(value - from);
    put_varint((static_cast<std::uint64_t>(distance) << 1) ^
               static_cast<std::uint64_t>(distance >> 63));
  }
  void put_bytes(const void* bytes, std::size_t size) {
    std::memcpy(out_, bytes, size);
    out_ += size;
  }
  [[nodiscard]] char* end() const { return out_; }

 private:
  char* out_;
};

// Reads from the front; after the first failure every read fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename Integer>
  bool get(Integer& value) {
    if (!ok_ || rest_.size() < sizeof value) return fail();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }

  template <typename Integer>
  bool get_varint(Integer& value) {
    std::uint64_t wide = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t byte = 0;
      if (!get(byte)) return false;
      wide |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) != 0) continue;
      // One number has one form: no leading zeros, nothing beyond 64 bits.
      if (shift > 0 && (byte == 0 || (shift == 63 && byte > 1))) return fail();
      value = static_cast<Integer>(wide);
      return static_cast<std::uint64_t>(value) == wide || fail();
    }
    return fail();
  }

  bool get_signed(std::int64_t& value) {
    std::uint64_t wide = 0;
    if (!get_varint(wide)) return false;
    value = static_cast<std::int64_t>(wide >> 1) ^ -static_cast<std::int64_t>(wide & 1);
    return true;
  }

  /// What put_distance() wrote.
  bool get_distance(std::uint64_t from, std::uint64_t& value) {
    std::int64_t distance = 0;
    if (!get_signed(distance)) return false;
    value = from + static_cast<std::uint64_t>(distance);
    return true;
  }

  bool get_country(Country& country) {
    if (!ok_ || rest_.size() < 2) return fail();
    const std::optional<Country> parsed = Country::parse(rest_.substr(0, 2));
    if (!parsed || parsed->code() != rest_.substr(0, 2)) return fail();
    country = *parsed;
    rest_.remove_prefix(2);
    return true;
  }

  /// The country of the next cell of a list, in which countries rise by index.
  bool get_next_country(std::size_t& index) {
    Country country;
    if (!get_country(country)) return false;
    if (next_index_ > country.index()) return fail();
    index = country.index();
    next_index_ = index + 1;
    return true;
  }

  bool get_bytes(std::size_t size, std::string_view& bytes) {
    if (!ok_ || rest_.size() < size) return fail();
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  /// Everything was read, and nothing failed.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  bool fail() {
    ok_ = false;
    return false;
  }
  std::string_view rest_;
  std::size_t next_index_ = 0;
  bool ok_ = true;
};

template <typename Integer>
std::string big_endian(Integer value) {
  const Integer big = boost::endian::native_to_big(value);
  return {reinterpret_cast<const char*>(&big), sizeof big};
}

template <typename Integer>
bool parse_big_endian(std::string_view bytes, Integer& value) {
  if (bytes.size() != sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  boost::endian::big_to_native_inplace(value);
  return true;
}

// Parts of an account record that many accounts do not have. Those that most have come first: they
// are in the first byte of a varint.
enum Part : std::uint32_t {
  kHasPosts = 1,
  kHasCountry = 2,
  kHasEvidence = 4,
  kHasFence = 8,
  kHasNewestKey = 16,
  kHasLanguage = 32,
  kHasProfile = 64,
  kHasIdentity = 128,
  kHasStatus = 256,
  kHasDeclared = 512,
  kHasCity = 1'024,
  kHasAddress = 2'048,
  kHasOldestKey = 4'096,
  kHasTelling = 8'192,
  kHasProvisionalFirstDay = 16'384,
};
constexpr unsigned kFirstParts = 7;  // bits of the varint's first byte
// Where format 1 has its flags, none of them is so large.
constexpr std::uint8_t kFormat2Flag = 0x80;
static_assert(kFormat2Flag == tally::AccountState::kTelling, "which is a part of the record");

// Format 1: a byte of parts.
enum Part1 : std::uint8_t {
  kHasIdentity1 = 1,
  kHasStatus1 = 2,
  kHasPosts1 = 4,
  kHasDeclared1 = 8,
  kHasCountry1 = 16,
  kHasEvidence1 = 32,
  kHasFence1 = 64,
  kHasCity1 = 128,
};
constexpr std::uint8_t kFlags1 = tally::AccountState::kKnown | tally::AccountState::kGone |
                                 tally::AccountState::kDeleted | tally::AccountState::kSecondDay;

// What a record of format 2 begins with, and none of format 1: there, a commit's number is not 0,
// a list of countries begins with a letter, and what was missed of a day is not negative, hence an
// even number as a signed one is written.
constexpr std::uint8_t kCommit2 = 0;
constexpr std::uint8_t kCountries2 = 2;
constexpr std::uint8_t kClosing2 = 1;

bool begins_with(std::string_view bytes, std::uint8_t mark) {
  return !bytes.empty() && static_cast<std::uint8_t>(bytes[0]) == mark;
}

// Up to the last byte that is not zero.
std::size_t used_bytes(const geo::EvidenceState& evidence) {
  constexpr std::size_t kBytes = sizeof evidence.bytes;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  for (std::size_t end = kBytes; end > 0;) {
    const std::size_t begin = end < kWord ? 0 : end - kWord;
    std::uint64_t word = 0;
    std::memcpy(&word, evidence.bytes.data() + begin, end - begin);
    if (word != 0) return begin + kWord - static_cast<std::size_t>(std::countl_zero(word)) / 8;
    end = begin;
  }
  return 0;
}

// Which parts a record has: those in which anything is not zero.
std::uint32_t parts_of(const tally::AccountState& state, const tally::AccountDetails& details,
                       std::size_t evidence_bytes, std::size_t fence_entries) {
  std::uint32_t parts = 0;
  if (state.posts != 0) parts |= kHasPosts;
  // An account below the threshold has a confidence, though no country.
  if (state.evidence != EvidenceKind::kNone || state.country.known() || state.confidence != 0) {
    parts |= kHasCountry;
  }
  if (evidence_bytes != 0) parts |= kHasEvidence;
  if (fence_entries != 0) parts |= kHasFence;
  if (state.newest_key != 0) parts |= kHasNewestKey;
  if (state.language != 0 || state.signature != 0) parts |= kHasLanguage;
  if (state.profile_revision != 0) parts |= kHasProfile;
  if (state.declared.known() || state.address_key != 0) parts |= kHasDeclared;
  if (state.city != 0) parts |= kHasCity;
  if (details == tally::AccountDetails{}) return parts;
  if (details.identity_time_us != 0 || details.identity_sequence != 0) parts |= kHasIdentity;
  if (details.status_time_us != 0 || details.status_sequence != 0) parts |= kHasStatus;
  if (details.address_revision != 0) parts |= kHasAddress;
  if (details.oldest_key != 0) parts |= kHasOldestKey;
  if (details.telling.open()) parts |= kHasTelling;
  if (details.provisional_first_day != 0) parts |= kHasProvisionalFirstDay;
  return parts;
}

std::uint8_t parts_of_format_1(const AccountRecord& record, std::size_t evidence_bytes) {
  const std::uint32_t parts =
      parts_of(record.state, record.details, evidence_bytes, record.fence.size());
  const auto part = [parts](Part of, Part1 gives) { return (parts & of) != 0 ? unsigned{gives} : 0U; };
  return static_cast<std::uint8_t>(
      part(kHasIdentity, kHasIdentity1) | part(kHasStatus, kHasStatus1) |
      part(kHasPosts, kHasPosts1) | part(kHasDeclared, kHasDeclared1) |
      part(kHasCountry, kHasCountry1) | part(kHasEvidence, kHasEvidence1) |
      part(kHasFence, kHasFence1) | part(kHasCity, kHasCity1));
}

// What a commit record of format 2 has besides.
bool get_commit2(Reader& reader, CommitRecord& commit) {
  std::uint8_t network = 0;
  std::uint8_t has_archive = 0;
  reader.get(network);
  commit.network = static_cast<Network>(network);
  reader.get_varint(commit.method);
  reader.get_varint(commit.class_function);
  if (!reader.get(has_archive) || has_archive > 1) return false;
  if (has_archive == 0) return true;
  ArchivePosition& archive = commit.archive;
  std::size_t size = 0;
  std::string_view host;
  std::uint8_t pass = 0;
  if (!reader.get_varint(size) || size == 0 || !reader.get_bytes(size, host)) return false;
  archive.host = host;
  reader.get_varint(archive.sequence);
  reader.get_varint(archive.bootstrap_end);
  reader.get_varint(archive.pin);
  if (!reader.get(pass) || pass > static_cast<std::uint8_t>(ArchivePosition::Pass::kDone)) {
    return false;
  }
  archive.pass = static_cast<ArchivePosition::Pass>(pass);
  return reader.get(archive.pass_reached);
}

// Newest first, and nothing below the floor.
bool in_order(const AccountRecord& record) {
  std::uint64_t newer = UINT64_MAX;
  for (const tally::FenceEntry& entry : record.fence) {
    if (entry.revision > newer || entry.revision < record.state.fence.floor) return false;
    newer = entry.revision;
  }
  return true;
}

}  // namespace

std::string_view to_string(Network network) {
  static constexpr std::array<std::string_view, kNetworks> kNames = {"none", "bluesky", "mastodon",
                                                                     "nostr", "x"};
  const auto number = static_cast<std::size_t>(network);
  return number < kNetworks ? kNames[number] : "unknown";
}

std::string account_key(tally::AccountKey key) { return big_endian(key); }
bool parse_account_key(std::string_view bytes, tally::AccountKey& key) {
  return parse_big_endian(bytes, key);
}

// The hot path writes an account for every second event or so.
char* encode_account(const tally::AccountState& state, const tally::AccountDetails& details,
                     const geo::EvidenceState& evidence, std::span<const tally::FenceEntry> fence,
                     char* out) {
  const std::size_t evidence_bytes = used_bytes(evidence);
  const std::uint32_t parts = parts_of(state, details, evidence_bytes, fence.size());
  const std::uint32_t more_parts = parts >> kFirstParts;
  Writer writer(out);
  writer.put(static_cast<std::uint8_t>((parts & 0x7f) | (more_parts != 0 ? 0x80 : 0)));
  writer.put(static_cast<std::uint8_t>(state.flags | kFormat2Flag));
  if (more_parts != 0) writer.put_varint(more_parts);
  writer.put(state.first_day);
  writer.put_varint(state.fence.floor);
  // Keys and revisions are near to the newest revision: what is written is how far.
  const std::uint64_t newest = fence.empty() ? state.fence.floor : fence.front().revision;
  if ((parts & kHasFence) != 0) {
    writer.put_varint(fence.size());
    for (const tally::FenceEntry& entry : fence) {
      writer.put(entry.revision);
      writer.put(entry.tag);
      writer.put(entry.seen_s);
    }
  }
  if ((parts & kHasNewestKey) != 0) writer.put_distance(newest, state.newest_key);
  if ((parts & kHasPosts) != 0) {
    writer.put(state.last_post_s);
    writer.put_varint(state.posts);
    writer.put_varint(state.days);
  }
  if ((parts & kHasCountry) != 0) {
    writer.put_country(state.country);
    writer.put(static_cast<std::uint8_t>(state.evidence));
    writer.put(state.confidence);
  }
  if ((parts & kHasEvidence) != 0) {
    writer.put(static_cast<std::uint8_t>(evidence_bytes));
    writer.put_bytes(evidence.bytes.data(), evidence_bytes);
  }
  if ((parts & kHasLanguage) != 0) {
    writer.put(state.language);
    writer.put(state.signature);
  }
  if ((parts & kHasProfile) != 0) writer.put_distance(newest, state.profile_revision);
  if (more_parts == 0) return writer.end();
  if ((parts & kHasIdentity) != 0) {
    writer.put(details.identity_time_us);
    writer.put(details.identity_sequence);
  }
  if ((parts & kHasStatus) != 0) {
    writer.put(details.status_time_us);
    writer.put(details.status_sequence);
  }
  if ((parts & kHasDeclared) != 0) {
    writer.put_country(state.declared);
    writer.put(state.address_key);
  }
  if ((parts & kHasCity) != 0) writer.put_varint(state.city);
  if ((parts & kHasAddress) != 0) writer.put_distance(newest, details.address_revision);
  if ((parts & kHasOldestKey) != 0) writer.put_distance(newest, details.oldest_key);
  if ((parts & kHasTelling) != 0) {
    const tally::Telling& telling = details.telling;
    writer.put_distance(newest, telling.revision);
    writer.put_distance(state.newest_key, telling.newest_key);
    writer.put_distance(state.newest_key, telling.last_key);
    writer.put(telling.witnessed_us);
    writer.put(static_cast<std::uint8_t>(telling.awaits_first ? 1 : 0));
  }
  if ((parts & kHasProvisionalFirstDay) != 0) writer.put(details.provisional_first_day);
  return writer.end();
}

void encode_account(const AccountRecord& record, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + account_bytes_max(record.fence.size()));
  const char* const end = encode_account(record.state, record.details, record.evidence,
                                         record.fence, out.data() + before);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

namespace {

bool get_evidence(Reader& reader, geo::EvidenceState& evidence) {
  std::uint8_t size = 0;
  std::string_view bytes;
  if (!reader.get(size) || size > evidence.bytes.size()) return false;
  if (!reader.get_bytes(size, bytes)) return false;
  std::memcpy(evidence.bytes.data(), bytes.data(), size);
  return used_bytes(evidence) == size;
}

bool get_fence(Reader& reader, std::vector<tally::FenceEntry>& fence) {
  std::size_t size = 0;
  if (!reader.get_varint(size) || size > 2 * tally::FencePool::kKept) return false;
  fence.resize(size);
  for (tally::FenceEntry& entry : fence) {
    reader.get(entry.revision);
    reader.get(entry.tag);
    reader.get(entry.seen_s);
  }
  return reader.ok();
}

bool get_located(Reader& reader, tally::AccountState& state) {
  reader.get_country(state.country);
  std::uint8_t evidence = 0;
  reader.get(evidence);
  if (evidence >= kEvidenceKinds) return false;
  state.evidence = static_cast<EvidenceKind>(evidence);
  return reader.get(state.confidence);
}

bool get_posts(Reader& reader, tally::AccountState& state) {
  return reader.get(state.last_post_s) && reader.get_varint(state.posts) &&
         reader.get_varint(state.days);
}

bool get_telling(Reader& reader, const tally::AccountState& state, std::uint64_t newest,
                 tally::Telling& telling) {
  std::uint8_t awaits_first = 0;
  reader.get_distance(newest, telling.revision);
  reader.get_distance(state.newest_key, telling.newest_key);
  reader.get_distance(state.newest_key, telling.last_key);
  reader.get(telling.witnessed_us);
  reader.get(awaits_first);
  telling.awaits_first = awaits_first == 1;
  return reader.ok() && awaits_first <= 1 && telling.open();
}

bool decode_format_1(Reader& reader, std::uint8_t parts, AccountRecord& record) {
  record.format = 1;
  tally::AccountState& state = record.state;
  tally::AccountDetails& details = record.details;
  reader.get(state.first_day);
  reader.get_varint(state.fence.floor);
  if ((parts & kHasIdentity1) != 0) {
    reader.get(details.identity_time_us);
    reader.get(details.identity_sequence);
  }
  if ((parts & kHasStatus1) != 0) {
    reader.get(details.status_time_us);
    reader.get(details.status_sequence);
  }
  if ((parts & kHasPosts1) != 0) get_posts(reader, state);
  if ((parts & kHasDeclared1) != 0) {
    reader.get_country(state.declared);
    reader.get(state.address_key);
  }
  if ((parts & kHasCountry1) != 0 && !get_located(reader, state)) return false;
  if ((parts & kHasEvidence1) != 0 && !get_evidence(reader, record.evidence)) return false;
  if ((parts & kHasFence1) != 0 && !get_fence(reader, record.fence)) return false;
  if ((parts & kHasCity1) != 0) reader.get_varint(state.city);
  return reader.done() && (state.flags & ~kFlags1) == 0 &&
         parts == parts_of_format_1(record, used_bytes(record.evidence)) && in_order(record);
}

bool decode_format_2(Reader& reader, std::uint8_t first_parts, AccountRecord& record) {
  tally::AccountState& state = record.state;
  tally::AccountDetails& details = record.details;
  state.flags = static_cast<std::uint8_t>(state.flags & ~kFormat2Flag);
  std::uint32_t parts = first_parts & 0x7f;
  if ((first_parts & 0x80) != 0) {
    std::uint32_t more = 0;
    reader.get_varint(more);
    if (more == 0 || more > (UINT32_MAX >> kFirstParts)) return false;
    parts |= more << kFirstParts;
  }
  reader.get(state.first_day);
  reader.get_varint(state.fence.floor);
  if ((parts & kHasFence) != 0 && !get_fence(reader, record.fence)) return false;
  const std::uint64_t newest =
      record.fence.empty() ? state.fence.floor : record.fence.front().revision;
  if ((parts & kHasNewestKey) != 0) reader.get_distance(newest, state.newest_key);
  if ((parts & kHasPosts) != 0) get_posts(reader, state);
  if ((parts & kHasCountry) != 0 && !get_located(reader, state)) return false;
  if ((parts & kHasEvidence) != 0 && !get_evidence(reader, record.evidence)) return false;
  if ((parts & kHasLanguage) != 0) {
    reader.get(state.language);
    reader.get(state.signature);
  }
  if ((parts & kHasProfile) != 0) reader.get_distance(newest, state.profile_revision);
  if ((parts & kHasIdentity) != 0) {
    reader.get(details.identity_time_us);
    reader.get(details.identity_sequence);
  }
  if ((parts & kHasStatus) != 0) {
    reader.get(details.status_time_us);
    reader.get(details.status_sequence);
  }
  if ((parts & kHasDeclared) != 0) {
    reader.get_country(state.declared);
    reader.get(state.address_key);
  }
  if ((parts & kHasCity) != 0) reader.get_varint(state.city);
  if ((parts & kHasAddress) != 0) reader.get_distance(newest, details.address_revision);
  if ((parts & kHasOldestKey) != 0) reader.get_distance(newest, details.oldest_key);
  if ((parts & kHasTelling) != 0 && !get_telling(reader, state, newest, details.telling)) {
    return false;
  }
  if ((parts & kHasProvisionalFirstDay) != 0) reader.get(details.provisional_first_day);
  state.set(tally::AccountState::kTelling, details.telling.open());
  return reader.done() &&
         parts == parts_of(state, details, used_bytes(record.evidence), record.fence.size()) &&
         in_order(record);
}

}  // namespace

bool decode_account(std::string_view bytes, AccountRecord& record) {
  record = {};
  Reader reader(bytes);
  std::uint8_t parts = 0;
  reader.get(parts);
  reader.get(record.state.flags);
  return (record.state.flags & kFormat2Flag) == 0 ? decode_format_1(reader, parts, record)
                                                  : decode_format_2(reader, parts, record);
}

void adopt_format_1(AccountRecord& record, std::int64_t watermark_us) {
  if (record.format != 1) return;
  record.format = 2;
  tally::AccountState& state = record.state;
  const std::uint64_t most = tally::believed_order(watermark_us);
  state.fence.floor = std::min(state.fence.floor, most);
  for (tally::FenceEntry& entry : record.fence) entry.revision = std::min(entry.revision, most);
  const std::uint64_t newest =
      record.fence.empty() ? state.fence.floor : record.fence.front().revision;
  // What it posted before is not known by key: whatever a telling could bring of it counts as seen.
  if (newest != 0) {
    state.newest_key = std::min(tally::believed_order(tally::time_of(newest)), most);
  }
  state.set(tally::AccountState::kTold, true);
  // Format 1 does not tell an erased account from one whose deletions alone were seen.
  if (state.flags == tally::AccountState::kTold && state.posts == 0) {
    state.set(tally::AccountState::kDeleted, true);
  }
}

std::string row_key(tally::RowId id) {
  return std::string(1, static_cast<char>(id.kind)) +
         big_endian(static_cast<std::uint32_t>(id.bucket));
}

bool parse_row_key(std::string_view bytes, tally::RowId& id) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes[0]) >= tally::kRowKinds) return false;
  id.kind = static_cast<tally::RowKind>(bytes[0]);
  std::uint32_t bucket = 0;
  if (!parse_big_endian(bytes.substr(1), bucket)) return false;
  id.bucket = bucket;
  return true;
}

bool is_unknown_row_key(std::string_view bytes) {
  return bytes.size() == 1 + sizeof(std::uint32_t) &&
         static_cast<std::uint8_t>(bytes[0]) >= tally::kRowKinds;
}

void encode_row(tally::RowKind kind, const tally::Row& row, std::string& out) {
  const bool days = kind == tally::RowKind::kDay;
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::uint32_t deleted = days ? row.deleted[i] : 0;
    if (row.posts[i] == 0 && row.accounts[i] == 0 && deleted == 0) continue;
    put_country(out, Country::from_index(i));
    put_varint(out, row.posts[i]);
    put_varint(out, row.accounts[i]);
    if (days) put_varint(out, deleted);
  }
}

bool decode_row(std::string_view bytes, tally::RowKind kind, tally::Row& row) {
  const bool days = kind == tally::RowKind::kDay;
  row = {};
  if (days) row.deleted.resize(Country::kLimit);
  Reader reader(bytes);
  while (reader.ok() && reader.left() > 0) {
    std::size_t i = 0;
    if (!reader.get_next_country(i)) return false;
    reader.get_varint(row.posts[i]);
    reader.get_varint(row.accounts[i]);
    if (days) reader.get_varint(row.deleted[i]);
    if (row.posts[i] == 0 && row.accounts[i] == 0 && (!days || row.deleted[i] == 0)) return false;
  }
  return reader.done();
}

void encode_countries(const CountryTotalsArray& countries, std::string& out) {
  put(out, kCountries2);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const tally::CountryTotals& total = countries[i];
    if (total == tally::CountryTotals{}) continue;
    put_country(out, Country::from_index(i));
    for (const std::uint64_t value : {total.posts, total.posts_deleted, total.accounts, total.never,
                                      total.once, total.confidence, total.automated,
                                      total.bridged}) {
      put_varint(out, value);
    }
    for (const std::uint64_t accounts : total.evidence) put_varint(out, accounts);
  }
}

bool decode_countries(std::string_view bytes, CountryTotalsArray& countries) {
  countries = {};
  const bool older = !begins_with(bytes, kCountries2);
  Reader reader(older ? bytes : bytes.substr(1));
  while (reader.ok() && reader.left() > 0) {
    std::size_t i = 0;
    if (!reader.get_next_country(i)) return false;
    tally::CountryTotals& total = countries[i];
    for (std::uint64_t* value : {&total.posts, &total.posts_deleted, &total.accounts, &total.never,
                                 &total.once, &total.confidence}) {
      reader.get_varint(*value);
    }
    if (!older) {
      reader.get_varint(total.automated);
      reader.get_varint(total.bridged);
    }
    for (std::uint64_t& accounts : total.evidence) reader.get_varint(accounts);
    if (total == tally::CountryTotals{}) return false;
  }
  return reader.done();
}

std::string city_key(std::uint32_t city) { return big_endian(city); }
bool parse_city_key(std::string_view bytes, std::uint32_t& city) {
  return parse_big_endian(bytes, city) && city != 0;
}

void encode_city(const tally::CityTotals& total, std::string& out) {
  put_varint(out, total.posts);
  put_varint(out, total.accounts);
}

bool decode_city(std::string_view bytes, tally::CityTotals& total) {
  Reader reader(bytes);
  reader.get_varint(total.posts);
  reader.get_varint(total.accounts);
  return reader.done() && !(total == tally::CityTotals{});
}

void encode_closing(const std::vector<tally::DayClosing>& closing, const ClosingHead& head,
                    std::string& out) {
  put(out, kClosing2);
  put_varint(out, head.method);
  put(out, static_cast<std::uint8_t>(head.source));
  put_signed(out, head.gap_us);
  for (std::size_t i = 0; i < closing.size(); ++i) {
    const tally::DayClosing& row = closing[i];
    // Who has no accounts has nobody active, engaged or located.
    if (row.accounts == 0) continue;
    put_country(out, Country::from_index(i));
    put_varint(out, row.accounts);
    for (const std::uint64_t value : row.engagement) put_varint(out, value);
    for (const std::uint64_t value : row.active) put_varint(out, value);
    for (const std::uint64_t value : row.evidence) put_varint(out, value);
  }
}

bool decode_closing(std::string_view bytes, std::vector<tally::DayClosing>& closing,
                    ClosingHead& head) {
  closing.assign(Country::count(), {});
  head = {};
  const bool older = !begins_with(bytes, kClosing2);
  Reader reader(older ? bytes : bytes.substr(1));
  if (!older) {
    std::uint8_t source = 0;
    reader.get_varint(head.method);
    reader.get(source);
    if (source > static_cast<std::uint8_t>(ClosingSource::kArchive)) return false;
    head.source = static_cast<ClosingSource>(source);
  }
  if (!reader.get_signed(head.gap_us) || head.gap_us < 0) return false;
  while (reader.ok() && reader.left() > 0) {
    std::size_t i = 0;
    if (!reader.get_next_country(i)) return false;
    tally::DayClosing& row = closing[i];
    reader.get_varint(row.accounts);
    for (std::uint64_t& value : row.engagement) reader.get_varint(value);
    for (std::uint64_t& value : row.active) reader.get_varint(value);
    for (std::uint64_t& value : row.evidence) reader.get_varint(value);
    if (row.accounts == 0) return false;
  }
  return reader.done();
}

void encode_commit(const CommitRecord& commit, std::string& out) {
  put(out, kCommit2);
  put_varint(out, commit.number);
  for (const std::int64_t value :
       {commit.committed_at_us, commit.edge_us, commit.watermark_us, commit.observed_since_us,
        commit.ingested_until_us, static_cast<std::int64_t>(commit.gaps), commit.gap_us,
        commit.next_day_to_close}) {
    put_signed(out, value);
  }
  put(out, static_cast<std::uint8_t>(commit.network));
  put_varint(out, commit.method);
  put_varint(out, commit.class_function);
  const ArchivePosition& archive = commit.archive;
  put(out, static_cast<std::uint8_t>(archive.exists() ? 1 : 0));
  if (archive.exists()) {
    put_varint(out, archive.host.size());
    out.append(archive.host);
    put_varint(out, archive.sequence);
    put_varint(out, archive.bootstrap_end);
    put_varint(out, archive.pin);
    put(out, static_cast<std::uint8_t>(archive.pass));
    put(out, archive.pass_reached);
  }
  out.append(commit.cursor);
}

bool decode_commit(std::string_view bytes, CommitRecord& commit) {
  commit = {};
  const bool older = !begins_with(bytes, kCommit2);
  Reader reader(older ? bytes : bytes.substr(1));
  std::int64_t gaps = 0;
  reader.get_varint(commit.number);
  for (std::int64_t* value :
       {&commit.committed_at_us, &commit.edge_us, &commit.watermark_us, &commit.observed_since_us,
        &commit.ingested_until_us, &gaps, &commit.gap_us, &commit.next_day_to_close}) {
    reader.get_signed(*value);
  }
  commit.gaps = static_cast<std::uint64_t>(gaps);
  if (commit.number == 0 || (!older && !get_commit2(reader, commit))) return false;
  std::string_view cursor;
  if (!reader.get_bytes(reader.left(), cursor)) return false;
  commit.cursor = cursor;
  return reader.done();
}

void encode_base(const CounterBase& base, std::string& out) {
  put_varint(out, base.gaps);
  put_signed(out, base.gap_us);
  put_varint(out, base.floor);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    if (base.posts[i] == 0 && base.posts_deleted[i] == 0) continue;
    put_country(out, Country::from_index(i));
    put_varint(out, base.posts[i]);
    put_varint(out, base.posts_deleted[i]);
  }
}

bool decode_base(std::string_view bytes, CounterBase& base) {
  base = {};
  Reader reader(bytes);
  reader.get_varint(base.gaps);
  reader.get_signed(base.gap_us);
  reader.get_varint(base.floor);
  while (reader.ok() && reader.left() > 0) {
    std::size_t i = 0;
    if (!reader.get_next_country(i)) return false;
    reader.get_varint(base.posts[i]);
    reader.get_varint(base.posts_deleted[i]);
    if (base.posts[i] == 0 && base.posts_deleted[i] == 0) return false;
  }
  return reader.done();
}

void encode_gap(const Gap& gap, std::string& out) {
  put_signed(out, gap.from_us);
  put_signed(out, gap.to_us);
  out.append(gap.cause);
}

bool decode_gap(std::string_view bytes, Gap& gap) {
  Reader reader(bytes);
  reader.get_signed(gap.from_us);
  reader.get_signed(gap.to_us);
  std::string_view cause;
  if (!reader.get_bytes(reader.left(), cause)) return false;
  gap.cause = cause;
  return true;
}

std::string number_key(std::uint64_t number) { return big_endian(number); }
bool parse_number_key(std::string_view bytes, std::uint64_t& number) {
  return parse_big_endian(bytes, number);
}

}  // namespace geotally::store
