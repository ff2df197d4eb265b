// The gazetteer: names, places, borders and time zones in one memory-mapped file.
//
// Layout (little-endian; every section starts at a multiple of 8):
//   header      see TableHeader; `checksum` is XXH3 of everything after it
//   countries   2 letters each; the table's own numbering, index 0 = "ZZ"
//   places      Place records; names are offsets into `strings`
//   specials    Special records: what a name can mean besides a place
//   buckets     65,537 × uint32: first entry of the names whose key has these top 16 bits
//   parts       Part records, by the number that places and specials name as `admin`
//   names       6 bytes each: low 24 bits of the key, then a Reference of 24 bits; sorted by key,
//               best meaning first. Besides names of places (normalised, see words.h) there are
//               domains (".brid.gy") and words (see domains.cpp), which no name can be
//   rings       Ring records, their points in `points`
//   points      longitude, latitude as int32 in 1e-5 degrees
//   zones       Zone records sorted by key (name_key of the zone's name, low 32 bits)
//   offsets     OffsetShare records, sorted by country
//   strings     bytes
//   licences    text: sources, versions, licences
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "country/country.h"

namespace geotally::geo {

struct TableSection {
  std::uint64_t offset = 0;  ///< from the start of the file
  std::uint64_t size = 0;    ///< bytes
};

enum Section : std::size_t {
  kCountries,
  kPlaces,
  kSpecials,
  kBuckets,
  kNames,
  kParts,
  kRings,
  kPoints,
  kZones,
  kOffsets,
  kStrings,
  kLicences,
  kSections
};

struct TableHeader {
  static constexpr std::array<char, 8> kMagic = {'G', 'E', 'O', 'T', 'A', 'L', 'L', 'Y'};
  static constexpr std::uint32_t kVersion = 3;
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t header_size = 0;
  std::uint64_t file_size = 0;
  std::uint64_t checksum = 0;
  std::array<TableSection, kSections> sections;
};

struct PlaceRecord {
  std::uint32_t id;           ///< GeoNames
  std::uint32_t name;         ///< offset of the name in `strings`; its length is the byte there
  std::uint32_t inhabitants;  ///< 0 = unknown
  std::uint16_t admin;        ///< of the country's first-level parts, numbered over all; 0 = none
  std::uint8_t country;       ///< index in `countries`
  std::uint8_t renown = 0;    ///< how many names it has over the world, and more for capitals
};
static_assert(sizeof(PlaceRecord) == 16);

/// A part of a country: of the first level, or below it.
struct Part {
  std::uint32_t inhabitants;  ///< of the places in it, 0 = none is known
  std::uint16_t admin;        ///< the part of the first level that it is, or lies in; 0 = unknown
  std::uint16_t spare = 0;
};
static_assert(sizeof(Part) == 8);

enum class Meaning : std::uint8_t {
  kCountryName,  ///< `admin` = 1: by which it is called in languages of others only
  kCountryCode,  ///< "DE": in capitals or after a comma only
  kPart,         ///< a first-level part (state, province) or an area without a code
  kPartCode,     ///< "TX": in capitals or after a comma only
  kCounty,       ///< a second-level part
  kNickname,     ///< of a city: `place` is set
  kNicknameCapitals,
  kDemonym,
  kCommonWord,  ///< `admin` = class 1 to 6: how common a word, 5 = stop word, 6 = given name
  kTrap,        ///< never a place alone
  kDialect,     ///< no place: a word of one country's way to write its language
  kLonger,  ///< no meaning by itself: names of countries begin so that are longer than others, or
            ///< go on behind a comma ("Korea, Republic of")
  kDomain,  ///< of a service that anybody uses, or a country code that anybody buys
  kWord,    ///< an English word, for domains
};

struct Special {
  Meaning meaning;
  std::uint8_t country;  ///< index in `countries`
  std::uint16_t admin;
  std::uint32_t place;  ///< index in `places`, or kNoPlace
  static constexpr std::uint32_t kNoPlace = 0xffffffff;
};
static_assert(sizeof(Special) == 8);

struct Ring {
  std::int32_t west, south, east, north;  ///< 1e-5 degrees
  std::uint32_t first, count;             ///< in `points`
  std::uint32_t country;                  ///< index in `countries`
};
static_assert(sizeof(Ring) == 28);

struct Point {
  std::int32_t longitude, latitude;
};

struct Zone {
  std::uint32_t key;
  std::uint8_t country;        ///< index in `countries`
  std::uint8_t rails;          ///< 1 = a Rails name
  std::int8_t winter, summer;  ///< offset from UTC in quarter hours, January and July
};
static_assert(sizeof(Zone) == 8);

/// The share of a country's inhabitants who live by one pair of offsets.
struct OffsetShare {
  std::uint8_t country;        ///< index in `countries`
  std::int8_t winter, summer;  ///< quarter hours
  std::uint8_t share;          ///< × 255
};
static_assert(sizeof(OffsetShare) == 4);

/// What a name means: 24 bits.
class Reference {
 public:
  static constexpr std::uint32_t kIndexMask = 0x3ffff;
  static constexpr std::uint32_t kSpecial = 0x400000;
  static constexpr std::uint32_t kBorrowed = 0x200000;
  static constexpr int kAccentsShift = 18;

  explicit Reference(std::uint32_t bits) : bits_(bits) {}
  /// Of a place or of a special.
  [[nodiscard]] std::uint32_t index() const { return bits_ & kIndexMask; }
  [[nodiscard]] bool special() const { return (bits_ & kSpecial) != 0; }
  /// The name is rather another place's.
  [[nodiscard]] bool borrowed() const { return (bits_ & kBorrowed) != 0; }
  /// A set of the classes of its spellings (see accent_class() in words.h); 0 = it has no accents.
  [[nodiscard]] std::uint32_t accents() const { return bits_ >> kAccentsShift & 7; }

 private:
  std::uint32_t bits_;
};

/// Immutable after open(); thread-safe.
class Table {
 public:
  static constexpr std::size_t kNameBytes = 6;

  /// Maps the file. Throws TableError when it is missing,
  /// truncated, of another version, or fails its checksum.
  explicit Table(const std::filesystem::path& path);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  [[nodiscard]] Country country(std::size_t index) const { return countries_[index]; }
  [[nodiscard]] const PlaceRecord& place(std::uint32_t index) const { return places_[index]; }
  [[nodiscard]] const Special& special(Reference reference) const {
    return specials_[reference.index()];
  }
  [[nodiscard]] std::string_view name(const PlaceRecord& place) const {
    const char* at = strings_ + place.name;
    return {at + 1, static_cast<unsigned char>(*at)};
  }
  [[nodiscard]] const Part& part(std::uint16_t admin) const { return parts_[admin]; }
  /// Place of a GeoNames id; null where the table has none.
  [[nodiscard]] const PlaceRecord* find_place(std::uint32_t id) const;

  /// Calls `visit(Reference)` for every meaning of a name, best first.
  template <typename Visit>
  void find(std::uint64_t key, Visit visit) const {
    const std::uint32_t bucket = static_cast<std::uint32_t>(key >> 24);
    const std::uint32_t low = static_cast<std::uint32_t>(key) & 0xffffff;
    std::uint32_t first = buckets_[bucket];
    std::uint32_t last = buckets_[bucket + 1];
    while (last - first > 8) {
      const std::uint32_t middle = first + (last - first) / 2;
      if (read24(middle * kNameBytes) < low) {
        first = middle;
      } else {
        last = middle;
      }
    }
    for (; first < buckets_[bucket + 1]; ++first) {
      const std::uint32_t here = read24(first * kNameBytes);
      if (here > low) return;
      if (here == low) visit(Reference(read24(first * kNameBytes + 3)));
    }
  }

  [[nodiscard]] const Zone* find_zone(std::string_view name) const;
  [[nodiscard]] std::span<const Zone> zones() const { return {zones_, zone_count_}; }
  [[nodiscard]] std::span<const OffsetShare> offsets() const { return offsets_; }
  /// The country that holds a point; ZZ at sea, in no man's land and for impossible values.
  [[nodiscard]] Country country_at(double latitude, double longitude) const;
  [[nodiscard]] std::string_view licences() const { return licences_; }
  [[nodiscard]] std::size_t bytes() const { return size_; }

 private:
  [[nodiscard]] std::uint32_t read24(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, names_ + at, 3);
    return value;
  }
  void* data_ = nullptr;
  std::size_t size_ = 0;
  std::array<Country, Country::kLimit> countries_;
  const PlaceRecord* places_ = nullptr;
  std::size_t place_count_ = 0;
  const Special* specials_ = nullptr;
  const std::uint32_t* buckets_ = nullptr;
  const unsigned char* names_ = nullptr;
  const Part* parts_ = nullptr;
  std::span<const Ring> rings_;
  const Point* points_ = nullptr;
  const Zone* zones_ = nullptr;
  std::size_t zone_count_ = 0;
  std::span<const OffsetShare> offsets_;
  const char* strings_ = nullptr;
  std::string_view licences_;
};

/// Where the table is when nothing else is said: beside the running program, or in
/// ../share/geotally as installed.
[[nodiscard]] std::filesystem::path default_table_path();

}  // namespace geotally::geo
