#include "geo/memory.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace geotally::geo {
namespace {

// Bits are filled from the lowest of byte 0 upwards.
static_assert(std::endian::native == std::endian::little);

class Writer {
 public:
  void put(unsigned value, unsigned bits) {
    GEOTALLY_CHECK(value < 1U << bits, "a piece of evidence left its bits");
    const std::uint64_t wide = value;
    words_[position_ / 64] |= wide << (position_ % 64);
    if (position_ % 64 + bits > 64) words_[position_ / 64 + 1] |= wide >> (64 - position_ % 64);
    position_ += bits;
  }
  [[nodiscard]] EvidenceState state() const {
    GEOTALLY_CHECK(position_ == 8 * sizeof(EvidenceState), "the bits of evidence fill its bytes");
    EvidenceState state;
    std::memcpy(state.bytes.data(), words_.data(), state.bytes.size());
    return state;
  }

 private:
  std::array<std::uint64_t, 4> words_{};
  unsigned position_ = 0;
};

class Reader {
 public:
  explicit Reader(const EvidenceState& state) {
    std::memcpy(words_.data(), state.bytes.data(), state.bytes.size());
  }
  unsigned get(unsigned bits) {
    std::uint64_t value = words_[position_ / 64] >> (position_ % 64);
    if (position_ % 64 + bits > 64) value |= words_[position_ / 64 + 1] << (64 - position_ % 64);
    position_ += bits;
    return static_cast<unsigned>(value & ((1U << bits) - 1));
  }
  std::uint8_t get8(unsigned bits) { return static_cast<std::uint8_t>(get(bits)); }

 private:
  std::array<std::uint64_t, 4> words_{};
  unsigned position_ = 0;
};

constexpr unsigned kCountryBits = 10;

Country country_of(unsigned letters) {
  if (letters == 0 || letters > 26 * 26) return kUnknownCountry;
  const char code[] = {static_cast<char>('A' + (letters - 1) / 26),
                       static_cast<char>('A' + (letters - 1) % 26)};
  return Country::parse({code, 2}).value_or(kUnknownCountry);
}

constexpr unsigned kLanguageBits = 15;
constexpr unsigned kCountBits = 5;

constexpr unsigned kHoursMask = 127;

}  // namespace

unsigned letters_of(Country country) {
  if (!country.known()) return 0;
  const std::string_view code = country.code();
  return 1 + 26 * static_cast<unsigned>(code[0] - 'A') + static_cast<unsigned>(code[1] - 'A');
}

Memory unpack(const EvidenceState& state) {
  Reader reader(state);
  Memory memory;
  for (auto& language : memory.languages) {
    language.id = static_cast<std::uint16_t>(reader.get(kLanguageBits));
    language.count = reader.get8(kCountBits);
  }
  memory.region = country_of(reader.get(kCountryBits));
  memory.region_count = reader.get8(3);
  memory.offset = reader.get8(7);
  memory.hours.x = stored_hours(reader.get(7));
  memory.hours.y = stored_hours(reader.get(7));
  memory.hours.count = reader.get8(5);
  memory.hours.last = reader.get8(5);
  memory.domain = country_of(reader.get(kCountryBits));
  for (auto& candidate : memory.profile) {
    candidate.country = country_of(reader.get(kCountryBits));
    candidate.strength = reader.get8(5);
    candidate.kind = static_cast<EvidenceKind>(reader.get(3));
  }
  memory.profile_language = static_cast<std::uint16_t>(reader.get(kLanguageBits));
  memory.zone = country_of(reader.get(kCountryBits));
  memory.zone_offset = reader.get8(7);
  memory.city = reader.get(24);
  return memory;
}

EvidenceState pack(const Memory& memory) {
  Writer writer;
  for (const auto& language : memory.languages) {
    writer.put(language.id, kLanguageBits);
    writer.put(language.count, kCountBits);
  }
  writer.put(letters_of(memory.region), kCountryBits);
  writer.put(memory.region_count, 3);
  writer.put(memory.offset, 7);
  writer.put(static_cast<unsigned>(memory.hours.x) & kHoursMask, 7);
  writer.put(static_cast<unsigned>(memory.hours.y) & kHoursMask, 7);
  writer.put(memory.hours.count, 5);
  writer.put(memory.hours.last, 5);
  writer.put(letters_of(memory.domain), kCountryBits);
  for (const auto& candidate : memory.profile) {
    writer.put(letters_of(candidate.country), kCountryBits);
    writer.put(candidate.strength, 5);
    writer.put(static_cast<unsigned>(candidate.kind), 3);
  }
  writer.put(memory.profile_language, kLanguageBits);
  writer.put(letters_of(memory.zone), kCountryBits);
  writer.put(memory.zone_offset, 7);
  writer.put(memory.city, 24);
  return writer.state();
}

std::uint32_t city_of(const EvidenceState& state) {
  constexpr std::size_t kAt = 200 / 8;
  std::uint32_t city = 0;
  std::memcpy(&city, state.bytes.data() + kAt, state.bytes.size() - kAt);
  return city;
}

}  // namespace geotally::geo
