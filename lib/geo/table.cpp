#include "geo/table.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "geo/table_error.h"
#include "geo/words.h"

namespace geotally::geo {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw TableError("country table " + path.string() + ": " + why);
}

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) refuse(path, std::generic_category().message(errno));
  }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

bool inside(const Point* points, std::size_t count, std::int64_t x, std::int64_t y) {
  bool in = false;
  for (std::size_t i = 0, j = count - 1; i < count; j = i++) {
    const std::int64_t xi = points[i].longitude;
    const std::int64_t yi = points[i].latitude;
    const std::int64_t xj = points[j].longitude;
    const std::int64_t yj = points[j].latitude;
    if ((yi > y) == (yj > y)) continue;
    // x < xi + (xj − xi)(y − yi) / (yj − yi), without division.
    const std::int64_t left = (x - xi) * (yj - yi);
    const std::int64_t right = (xj - xi) * (y - yi);
    if (yj > yi ? left < right : left > right) in = !in;
  }
  return in;
}

}  // namespace

Table::Table(const std::filesystem::path& path) {
  const File file(path);
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0) refuse(path, std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) refuse(path, "not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  TableHeader header;
  if (size_ < sizeof(header)) refuse(path, "too short to be one");
  data_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    refuse(path, std::generic_category().message(errno));
  }
  const auto fail = [&](const std::string& why) {
    munmap(data_, size_);
    data_ = nullptr;
    refuse(path, why);
  };
  const auto* base = static_cast<const char*>(data_);
  std::memcpy(&header, base, sizeof(header));
  if (header.magic != TableHeader::kMagic) fail("not a country table");
  if (header.version != TableHeader::kVersion || header.header_size != sizeof(header)) {
    fail("version " + std::to_string(header.version) + ", this program reads version " +
         std::to_string(TableHeader::kVersion));
  }
  if (header.file_size != size_) fail("truncated");
  if (XXH3_64bits(base + sizeof(header), size_ - sizeof(header)) != header.checksum) {
    fail("damaged: its checksum does not match");
  }
  // From here on the file is what the compiler wrote.
  const auto at = [&](Section section) { return base + header.sections[section].offset; };
  const auto count = [&](Section section, std::size_t size) {
    return header.sections[section].size / size;
  };
  for (std::size_t i = 0; i < std::min(count(kCountries, 2), countries_.size()); ++i) {
    countries_[i] = Country::parse({at(kCountries) + 2 * i, 2}).value_or(kUnknownCountry);
  }
  places_ = reinterpret_cast<const PlaceRecord*>(at(kPlaces));
  place_count_ = count(kPlaces, sizeof(PlaceRecord));
  specials_ = reinterpret_cast<const Special*>(at(kSpecials));
  buckets_ = reinterpret_cast<const std::uint32_t*>(at(kBuckets));
  names_ = reinterpret_cast<const unsigned char*>(at(kNames));
  parts_ = reinterpret_cast<const Part*>(at(kParts));
  rings_ = {reinterpret_cast<const Ring*>(at(kRings)), count(kRings, sizeof(Ring))};
  points_ = reinterpret_cast<const Point*>(at(kPoints));
  zones_ = reinterpret_cast<const Zone*>(at(kZones));
  zone_count_ = count(kZones, sizeof(Zone));
  offsets_ = {reinterpret_cast<const OffsetShare*>(at(kOffsets)),
              count(kOffsets, sizeof(OffsetShare))};
  strings_ = at(kStrings);
  licences_ = {at(kLicences), header.sections[kLicences].size};
}

Table::~Table() {
  if (data_ != nullptr) munmap(data_, size_);
}

const PlaceRecord* Table::find_place(std::uint32_t id) const {
  const auto* end = places_ + place_count_;
  const auto* found = std::lower_bound(
      places_, end, id,
      [](const PlaceRecord& place, std::uint32_t wanted) { return place.id < wanted; });
  return found != end && found->id == id ? found : nullptr;
}

const Zone* Table::find_zone(std::string_view name) const {
  if (name.empty() || name.size() > 64) return nullptr;
  const auto key = static_cast<std::uint32_t>(name_key(name));
  const auto* end = zones_ + zone_count_;
  const auto* found = std::lower_bound(
      zones_, end, key, [](const Zone& zone, std::uint32_t wanted) { return zone.key < wanted; });
  return found != end && found->key == key ? found : nullptr;
}

Country Table::country_at(double latitude, double longitude) const {
  if (!(std::abs(latitude) <= 90) || !(std::abs(longitude) <= 180)) return kUnknownCountry;
  const auto x = static_cast<std::int32_t>(std::lround(longitude * 1e5));
  const auto y = static_cast<std::int32_t>(std::lround(latitude * 1e5));
  // Enclaves are holes of what surrounds them, so the number of rings of one country decides.
  std::array<bool, Country::kLimit> in{};
  bool any = false;
  for (const Ring& ring : rings_) {
    if (x < ring.west || x > ring.east || y < ring.south || y > ring.north) continue;
    if (!inside(points_ + ring.first, ring.count, x, y)) continue;
    in[ring.country] = !in[ring.country];
    any = true;
  }
  if (!any) return kUnknownCountry;
  const auto* found = std::find(in.begin(), in.end(), true);
  return found == in.end() ? kUnknownCountry
                           : countries_[static_cast<std::size_t>(found - in.begin())];
}

std::filesystem::path default_table_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = error ? std::filesystem::path(".") : program.parent_path();
  const auto beside = folder / "geo.table";
  if (std::filesystem::exists(beside, error)) return beside;
  return folder.parent_path() / "share" / "geotally" / "geo.table";
}

}  // namespace geotally::geo
