// The bytes of a position. All numbers are little-endian; a text is its length in two
// bytes, then its bytes.
//
//   u8   format, 1
//   u8   wire            u16+ host             u64 sequence
//   u8   flags: 1 = continuity is unproved     u64 newest time   u16+ cause
//   u8   identities n    n × (u64 identity, u64 time), oldest first
//   u8   samples n       n × (u64 sequence, u64 time), oldest first
//   u8   suspicions n    n × (u64 from, u64 to, u16+ cause, u8 m, m × u64 identity)
//   u16  gaps n          n × (u64 from, u64 to, u16+ cause): certain, not yet taken
//   u64  xxh3 of all of the above
#include <algorithm>

#include <xxhash.h>

#include "feed/position.h"
#include "feed/rfc3339.h"

namespace geotally::feed {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHostBytesMax = 512;
constexpr std::size_t kCauseBytesMax = 64;
constexpr std::size_t kGapsMax = 1024;

class Writer {
 public:
  void u8(std::uint64_t value) { number(value, 1); }
  void u16(std::uint64_t value) { number(value, 2); }
  void u64(std::uint64_t value) { number(value, 8); }
  void time(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void text(std::string_view value) {
    u16(value.size());
    out_ += value;
  }
  [[nodiscard]] std::string finish() {
    u64(XXH3_64bits(out_.data(), out_.size()));
    return std::move(out_);
  }

 private:
  void number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  std::string out_;
};

// Reads what Writer wrote. After the first failure everything reads as zero, and ok() is
// false: callers check once, and before they trust a count.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t time() {
    const std::uint64_t value = u64();
    if (value > static_cast<std::uint64_t>(kTimeMax_us)) ok_ = false;
    return ok_ ? static_cast<std::int64_t>(value) : 0;
  }
  std::string text(std::size_t max) {
    const std::size_t size = u16();
    if (size > max || size > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  std::size_t count(std::uint64_t value, std::size_t max) {
    if (value > max) ok_ = false;
    return ok_ ? static_cast<std::size_t>(value) : 0;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  std::uint64_t number(std::size_t size) {
    if (bytes_.size() < size) ok_ = false;
    if (!ok_) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(size);
    return value;
  }
  std::string_view bytes_;
  bool ok_ = true;
};

// A cause is a metric label later, so nothing else may come out of the store.
bool is_cause(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string Position::serialize() const {
  Writer out;
  out.u8(kFormat);
  out.u8(static_cast<std::uint8_t>(wire_));
  out.text(host_);
  out.u64(sequence_);
  out.u8(unproved_ ? 1 : 0);
  out.time(newest_us_);
  out.text(cause_);
  out.u8(ring_size());
  for (std::uint64_t i = count_ - ring_size(); i < count_; ++i) {
    out.u64(ring_[i % kIdentities].identity);
    out.time(ring_[i % kIdentities].time_us);
  }
  const std::uint64_t samples = std::min<std::uint64_t>(sample_count_, kSamples);
  out.u8(samples);
  for (std::uint64_t i = sample_count_ - samples; i < sample_count_; ++i) {
    out.u64(samples_[i % kSamples].sequence);
    out.time(samples_[i % kSamples].time_us);
  }
  out.u8(open_.size());
  for (const Suspicion& one : open_) {
    out.time(one.from_us);
    out.time(one.to_us);
    out.text(one.cause);
    out.u8(one.known_count);
    for (std::size_t i = 0; i < one.known_count; ++i) out.u64(one.known[i]);
  }
  const std::size_t gaps = std::min(gaps_.size(), kGapsMax);
  out.u16(gaps);
  for (std::size_t i = 0; i < gaps; ++i) {
    out.time(gaps_[i].from_us);
    out.time(gaps_[i].to_us);
    out.text(gaps_[i].cause);
  }
  return out.finish();
}

bool Position::parse(std::string_view bytes) {
  constexpr std::size_t kSum = sizeof(std::uint64_t);
  if (bytes.size() <= kSum) return false;
  const std::string_view content = bytes.substr(0, bytes.size() - kSum);
  if (Reader(bytes.substr(content.size())).u64() != XXH3_64bits(content.data(), content.size())) {
    return false;
  }

  Reader in(content);
  Position read(options_);
  if (in.u8() != kFormat) return false;
  const std::uint8_t wire = in.u8();
  if (wire != static_cast<std::uint8_t>(Wire::kJetstreamV1) &&
      wire != static_cast<std::uint8_t>(Wire::kJetstreamV2)) {
    return false;
  }
  read.wire_ = static_cast<Wire>(wire);
  read.host_ = in.text(kHostBytesMax);
  read.sequence_ = in.u64();
  const std::uint8_t flags = in.u8();
  if (flags > 1) return false;
  read.unproved_ = flags == 1;
  read.newest_us_ = in.time();
  read.cause_ = in.text(kCauseBytesMax);
  if (read.unproved_ != is_cause(read.cause_)) return false;
  read.count_ = in.count(in.u8(), kIdentities);
  for (std::uint64_t i = 0; i < read.count_; ++i) {
    read.ring_[i].identity = in.u64();
    read.ring_[i].time_us = in.time();
  }
  if (read.unproved_ && read.count_ == 0) return false;
  read.sample_count_ = in.count(in.u8(), kSamples);
  for (std::uint64_t i = 0; i < read.sample_count_; ++i) {
    read.samples_[i].sequence = in.u64();
    read.samples_[i].time_us = in.time();
  }
  const std::size_t suspicions = in.count(in.u8(), kSuspicions);
  for (std::size_t i = 0; i < suspicions; ++i) {
    Suspicion& one = read.open_.emplace_back();
    one.from_us = in.time();
    one.to_us = in.time();
    one.cause = in.text(kCauseBytesMax);
    one.known_count = in.count(in.u8(), kIdentities);
    for (std::size_t k = 0; k < one.known_count; ++k) one.known[k] = in.u64();
    if (one.to_us <= one.from_us || !is_cause(one.cause)) return false;
  }
  const std::size_t gaps = in.count(in.u16(), kGapsMax);
  for (std::size_t i = 0; i < gaps; ++i) {
    Gap& gap = read.gaps_.emplace_back();
    gap.from_us = in.time();
    gap.to_us = in.time();
    gap.cause = in.text(kCauseBytesMax);
    if (gap.to_us <= gap.from_us || !is_cause(gap.cause)) return false;
  }
  if (!in.at_end()) return false;

  // The process that wrote this is gone: whatever came since then was missed.
  if (read.cause_ == "stopped") read.cause_ = "restart";
  read.disconnected("restart");
  *this = std::move(read);
  return true;
}

}  // namespace geotally::feed
