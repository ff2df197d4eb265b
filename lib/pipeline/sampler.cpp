#include "pipeline/sampler.h"

// A call would take as long as to hash something that short.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace geotally::pipeline {
namespace {

constexpr std::size_t kRecent = std::size_t{1} << 14;
constexpr std::int64_t kTextEvery_us = 60'000'000;
constexpr std::size_t kNameBytes = 256;
constexpr std::size_t kDescriptionBytes = 2'048;
constexpr std::size_t kWebsiteBytes = 256;
constexpr std::size_t kHandleBytes = 256;
constexpr std::size_t kPostBytes = 512;

// Cut at a character, as UTF-8 has them.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

bool digits(std::string_view text, int& number) {
  if (text.size() != 2) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  number = (text[0] - '0') * 10 + (text[1] - '0');
  return true;
}

}  // namespace

tally::AccountKey account_key(std::string_view did, std::uint64_t seed) {
  const std::uint64_t hash = XXH3_64bits_withSeed(did.data(), did.size(), seed);
  return hash == 0 ? 1 : hash;
}

std::int32_t utc_offset_of(std::string_view rfc3339) {
  if (rfc3339.size() < 6) return INT32_MIN;
  const std::string_view zone = rfc3339.substr(rfc3339.size() - 6);
  int hours = 0;
  int minutes = 0;
  if ((zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return INT32_MIN;
  if (!digits(zone.substr(1, 2), hours) || !digits(zone.substr(4, 2), minutes)) return INT32_MIN;
  if (hours > 14 || minutes > 59) return INT32_MIN;
  if (zone[0] == '-' && hours == 0 && minutes == 0) return INT32_MIN;
  const int seconds = hours * 3'600 + minutes * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

TextGate::TextGate() : recent_(kRecent) {}

bool TextGate::text_of(const Event& event, tally::AccountKey account, Text& text) {
  switch (event.kind) {
    case EventKind::kProfile:
      text = {cut(event.display_name, kNameBytes),
              cut(event.description, kDescriptionBytes),
              cut(event.website, kWebsiteBytes),
              {},
              {}};
      return true;
    case EventKind::kIdentity:
      if (event.handle.empty()) return false;
      text = {{}, {}, {}, cut(event.handle, kHandleBytes), {}};
      return true;
    case EventKind::kPost: {
      if (event.language_count != 0 || event.text.empty()) return false;
      // The high bits of the account, and in which stretch of time it last had its say.
      const auto stretch = static_cast<std::uint64_t>(event.time_us / kTextEvery_us) & 0xffff;
      std::uint64_t& recent = recent_[account % kRecent];
      const std::uint64_t now = (account & ~std::uint64_t{0xffff}) | stretch;
      if (recent == now) return false;
      recent = now;
      text = {{}, {}, {}, {}, cut(event.text, kPostBytes)};
      return true;
    }
    default:
      return false;
  }
}

void to_sample(const Event& event, tally::Sample& sample) {
  sample.time_us = event.time_us;
  sample.discriminator = event.discriminator;
  sample.revision = event.revision;
  const bool record = event.kind != EventKind::kIdentity && event.kind != EventKind::kAccount;
  sample.upstream_time_us = record ? event.imported_us : event.upstream_time_us;
  sample.upstream_sequence = static_cast<std::uint32_t>(event.upstream_sequence);
  sample.record_key = event.record_key;
  sample.created = event.created;
  sample.entered = false;
  sample.overlap = false;
  sample.told = false;
  sample.kind = event.kind;
  sample.status = event.status;
  sample.country = Country();
  sample.language_count = 0;
  sample.utc_offset_s = INT32_MIN;
  sample.text = tally::Sample::kNoText;
  if (event.kind == EventKind::kPost) {
    for (std::uint8_t i = 0; i < event.language_count; ++i) {
      if (const auto tag = LanguageTag::parse(event.languages[i])) {
        sample.languages[sample.language_count++] = *tag;
      }
    }
    sample.utc_offset_s = utc_offset_of(event.created_at);
  } else if (event.kind == EventKind::kAddress) {
    sample.country = Country::parse_iso3166(event.country).value_or(Country());
  }
}

}  // namespace geotally::pipeline
