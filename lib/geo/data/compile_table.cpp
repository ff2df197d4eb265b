// Compiles the reduced lines (see data/reduce.mjs) into the table that the resolver maps.
// Part of the refresh, not of the daemon: errors end the program.
//   geotally-geo-table REDUCED_LINES NOTICE OUTPUT
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <xxhash.h>

#include "country/country.h"
#include "geo/table.h"
#include "geo/words.h"

namespace geotally::geo {
namespace {

struct Entry {
  std::uint64_t key;
  double weight;            // larger = better
  std::uint32_t reference;  // without accents
  std::uint32_t accents;    // of all spellings
};

constexpr std::size_t kMeaningsMax = 40;
constexpr std::uint32_t kTypedAsOne = 50'000;  // inhabitants
constexpr std::size_t kWordsInNameMax = 9;
constexpr std::size_t kWordsInUsualName = 5;

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

class Compiler {
 public:
  void read(const std::string& path) {
    // Two passes: nicknames name places, words only matter where a name is spelled like them.
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    for (std::string line; std::getline(file, line);) lines_.push_back(split_tabs(line));
    for (const auto& f : lines_) {
      if (f[0] == "c") country(f);
    }
    for (const auto& f : lines_) {
      if (f[0] == "a") part(f);
    }
    for (const auto& f : lines_) {
      if (f[0] == "p") place(f);
    }
    std::sort(places_.begin(), places_.end(),
              [](const auto& a, const auto& b) { return a.record.id < b.record.id; });
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      const auto [at, added] = namesakes_.try_emplace(key_of(places_[i].names.front()), i);
      if (places_[i].record.inhabitants > places_[at->second].record.inhabitants) at->second = i;
    }
    for (std::uint32_t i = 0; i < places_.size(); ++i) place_names(i);
    for (const auto& f : lines_) {
      if (f[0] == "d")
        add_special(
            f[3], {Meaning::kCounty, index_of(f[1]), admin_of(f[1], f[2]), Special::kNoPlace}, 3e4);
      if (f[0] == "n") nickname(f);
      if (f[0] == "b") ring(f);
      if (f[0] == "z") zone(f);
    }
    offsets();
    for (const auto& f : lines_) {
      if (f[0] == "r") rails(f);
      if (f[0] == "i") {
        for (std::size_t i = 2; i < f.size(); ++i) {
          add_special(f[i], {Meaning::kDialect, index_of(f[1]), 0, Special::kNoPlace}, 1);
        }
      }
      if (f[0] == "m") {
        for (std::size_t i = 2; i < f.size(); ++i)
          add_special(f[i], {Meaning::kDemonym, index_of(f[1]), 0, Special::kNoPlace}, 10);
      }
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
    const std::size_t real = entries_.size();
    for (const auto& f : lines_) {
      if (f[0] == "w") word(f, real);
      if (f[0] == "t") add_special(f[1], {Meaning::kTrap, 0, 0, Special::kNoPlace}, 1e12);
      if (f[0] == "s") plain("." + f[1], Meaning::kDomain);
      if (f[0] == "v") plain("=" + f[1], Meaning::kWord);
    }
  }

  void write(const std::string& path, const std::string& notice) {
    merge_spellings();
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      if (a.key != b.key) return a.key < b.key;
      if (a.weight != b.weight) return a.weight > b.weight;
      return a.reference < b.reference;
    });
    std::vector<std::uint32_t> buckets(65537);
    std::string names;
    std::size_t kept = 0;
    std::size_t run = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      run = i > 0 && entries_[i - 1].key == entry.key ? run + 1 : 0;
      if (run >= kMeaningsMax) continue;
      ++buckets[(entry.key >> 24) + 1];
      append24(names, static_cast<std::uint32_t>(entry.key) & 0xffffff);
      append24(names, entry.reference | entry.accents << Reference::kAccentsShift);
      ++kept;
    }
    for (std::size_t i = 1; i < buckets.size(); ++i) buckets[i] += buckets[i - 1];
    names += std::string(8, '\0');

    std::vector<PlaceRecord> records;
    for (const auto& place : places_) records.push_back(place.record);
    std::sort(zones_.begin(), zones_.end(),
              [](const Zone& a, const Zone& b) { return a.key < b.key; });

    std::string countries;
    for (std::size_t i = 0; i < Country::count(); ++i) countries += Country::from_index(i).code();
    std::string file(sizeof(TableHeader), '\0');
    TableHeader header;
    const auto section = [&](Section which, const void* data, std::size_t size) {
      file.resize((file.size() + 7) / 8 * 8);
      header.sections[which] = {file.size(), size};
      file.append(static_cast<const char*>(data), size);
    };
    const auto vector_section = [&](Section which, const auto& items) {
      section(which, items.data(), items.size() * sizeof(items[0]));
    };
    section(kCountries, countries.data(), countries.size());
    vector_section(kPlaces, records);
    vector_section(kSpecials, specials_);
    vector_section(kBuckets, buckets);
    for (const PlaceRow& place : places_) {
      parts_[place.record.admin].inhabitants += place.record.inhabitants;
    }
    vector_section(kParts, parts_);
    section(kNames, names.data(), names.size());
    vector_section(kRings, rings_);
    vector_section(kPoints, points_);
    vector_section(kZones, zones_);
    vector_section(kOffsets, offsets_);
    section(kStrings, strings_.data(), strings_.size());
    section(kLicences, notice.data(), notice.size());
    header.magic = TableHeader::kMagic;
    header.version = TableHeader::kVersion;
    header.header_size = sizeof(header);
    header.file_size = file.size();
    header.checksum = XXH3_64bits(file.data() + sizeof(header), file.size() - sizeof(header));
    std::memcpy(file.data(), &header, sizeof(header));
    std::ofstream out(path, std::ios::binary);
    out.write(file.data(), static_cast<std::streamsize>(file.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
    std::cout << path << ": " << file.size() << " bytes, " << records.size() << " places, " << kept
              << " names, " << specials_.size() << " other meanings, " << points_.size()
              << " points, " << zones_.size() << " zones\n";
  }

 private:
  struct PlaceRow {
    PlaceRecord record;
    std::string zone;
    std::vector<std::string> names;
  };

  static void append24(std::string& out, std::uint32_t value) {
    for (int i = 0; i < 3; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
  static std::uint8_t index_of(const std::string& code) {
    const auto country = Country::parse(code);
    if (!country) throw std::runtime_error("no country: " + code);
    return country->index();
  }
  std::uint16_t admin_of(const std::string& country, const std::string& admin) {
    if (admin.empty()) return 0;
    const auto [at, added] =
        admins_.try_emplace(country + "." + admin, static_cast<std::uint16_t>(admins_.size() + 1));
    if (added) parts_.push_back({0, at->second});
    return at->second;
  }
  std::uint64_t key_of(const std::string& name) {
    words_.split(name);
    if (words_.size() == 0 || words_.size() > kWordsInNameMax) return 0;
    return name_key(words_.text(0, words_.size()));
  }
  void add(const std::string& name, std::uint32_t reference, double weight) {
    if (const std::uint64_t key = key_of(name); key != 0) {
      entries_.push_back({key, weight, reference, accent_class(words_.accents(0, words_.size()))});
    }
  }
  // One entry for all spellings that look alike without their accents; a name that is a place's own
  // in one of them is its own in all.
  void merge_spellings() {
    constexpr std::uint32_t kWithoutBorrowed = ~Reference::kBorrowed;
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::make_tuple(a.key, a.reference & kWithoutBorrowed, a.reference) <
             std::make_tuple(b.key, b.reference & kWithoutBorrowed, b.reference);
    });
    std::vector<Entry> merged;
    for (const Entry& entry : entries_) {
      if (!merged.empty() && merged.back().key == entry.key &&
          ((merged.back().reference ^ entry.reference) & kWithoutBorrowed) == 0) {
        merged.back().accents |= entry.accents;
        merged.back().weight = std::max(merged.back().weight, entry.weight);
      } else {
        merged.push_back(entry);
      }
    }
    entries_ = std::move(merged);
  }
  std::uint32_t special(const Special& value) {
    const auto identity = std::make_tuple(value.meaning, value.country, value.admin, value.place);
    const auto [at, added] =
        special_index_.try_emplace(identity, static_cast<std::uint32_t>(specials_.size()));
    if (added) specials_.push_back(value);
    return Reference::kSpecial + at->second;
  }
  void add_special(const std::string& name, const Special& value, double weight) {
    add(name, special(value), weight);
    if (value.meaning != Meaning::kCountryName) return;
    // "Congo, the Democratic Republic of the"
    constexpr Special kLongerName{Meaning::kLonger, 0, 0, Special::kNoPlace};
    if (const std::size_t comma = name.find_first_of(",("); comma != std::string::npos)
      add(name.substr(0, comma), special(kLongerName), 1);
    words_.split(name);
    if (words_.size() > kWordsInUsualName)
      entries_.push_back({name_key(words_.text(0, 2)), 1, special(kLongerName), 0});
  }
  void country(const std::vector<std::string>& f) {
    const Special name{Meaning::kCountryName, index_of(f[1]), 0, Special::kNoPlace};
    const Special code{Meaning::kCountryCode, index_of(f[1]), 0, Special::kNoPlace};
    add_special(f[1], code, 1e8);
    if (!f[2].empty()) add_special(f[2], code, 1e8);
    const Special elsewhere{Meaning::kCountryName, index_of(f[1]), 1, Special::kNoPlace};
    bool own = true;
    for (std::size_t i = 3; i < f.size(); ++i) {
      if (f[i] == "~") {
        own = false;
      } else {
        add_special(f[i], own ? name : elsewhere, own ? 1e9 : 9e8);
      }
    }
  }
  void part(const std::vector<std::string>& f) {
    const std::uint16_t admin = admin_of(f[1], f[2]);
    // Below the first level: "within:inhabitants".
    if (const std::size_t colon = f[4].find(':'); colon != std::string::npos) {
      const std::uint16_t within = admin_of(f[1], f[4].substr(0, colon));
      parts_[admin] = {static_cast<std::uint32_t>(std::stoul(f[4].substr(colon + 1))), within};
    }
    for (std::size_t i = 5; i < f.size(); ++i) {
      add_special(f[i], {Meaning::kPart, index_of(f[1]), admin, Special::kNoPlace}, 5e6);
    }
    // Codes that people append to a city.
    static const std::string kWithCodes[] = {"US", "CA", "AU", "BR", "IN"};
    if (std::find(std::begin(kWithCodes), std::end(kWithCodes), f[1]) == std::end(kWithCodes))
      return;
    std::stringstream codes(f[3]);
    for (std::string code; std::getline(codes, code, ',');) {
      if (code.size() < 2 || code.find_first_of("0123456789") != std::string::npos) continue;
      add_special(code, {Meaning::kPartCode, index_of(f[1]), admin, Special::kNoPlace}, 4e8);
    }
  }
  void place(const std::vector<std::string>& f) {
    PlaceRow row;
    row.record.id = static_cast<std::uint32_t>(std::stoul(f[1]));
    row.record.country = index_of(f[2]);
    row.record.admin = admin_of(f[2], f[3]);
    row.record.inhabitants = static_cast<std::uint32_t>(std::stoul(f[4]));
    row.record.renown = static_cast<std::uint8_t>(std::stoul(f[5]));
    row.zone = f[6];
    row.names.assign(f.begin() + 7, f.end());
    row.record.name = static_cast<std::uint32_t>(strings_.size());
    std::string name = row.names.front();
    if (name.size() > 255) name.resize(255);
    strings_.push_back(static_cast<char>(static_cast<unsigned char>(name.size())));
    strings_ += name;
    places_.push_back(std::move(row));
  }
  void place_names(std::uint32_t index) {
    const PlaceRow& row = places_[index];
    for (std::size_t i = 0; i < row.names.size(); ++i) {
      const bool borrowed = i > 0 && is_of_another(row.names[i], index);
      add(row.names[i], borrowed ? index | Reference::kBorrowed : index,
          row.record.inhabitants + (i == 0 ? 1000.0 : 0.0));
    }
    const std::string& name = row.names.front();
    // "Bāra Banki" is also written as one word, or typed so.
    if (row.record.inhabitants >= kTypedAsOne) {
      words_.split(name);
      if (words_.size() == 2 && !words_[0].dense && !words_[1].dense) {
        std::string joined(words_.text(0));
        joined += words_.text(1);
        constexpr std::size_t kLettersMin = 8;
        if (joined.size() >= kLettersMin) {
          entries_.push_back({name_key(joined), static_cast<double>(row.record.inhabitants), index,
                              accent_class(words_.accents(0, 2))});
        }
      }
    }
    // "Foo City" is called "Foo".
    if (row.record.inhabitants >= 100'000 && name.ends_with(" City") && name.size() > 9) {
      add(name.substr(0, name.size() - 5), index, row.record.inhabitants);
    }
  }
  // Names that a place once had, or has beside its own, belong rather to those who bear them:
  // Tijuana is no longer Zaragoza. But Vienna is Wien, and not a town in Virginia.
  // A name that has nothing of the one in use is an old one, however large the place: Chittagong is
  // no longer Islamabad, nor Harare Salisbury. Odessa and Odesa are one.
  bool is_of_another(const std::string& name, std::uint32_t index) {
    constexpr std::uint32_t kTown = 20'000;
    const PlaceRow& place = places_[index];
    const auto found = namesakes_.find(key_of(name));
    if (found == namesakes_.end() || found->second == index) return false;
    const std::uint32_t bearers = places_[found->second].record.inhabitants;
    if (bearers < kTown) return false;
    return bearers >= place.record.inhabitants / 4 || !resembles(name, place.names.front());
  }
  // Whether two names share a word, or one of them looks like a form of a word of the other.
  bool resembles(const std::string& a, const std::string& b) {
    static const std::string kCommon[] = {"new",  "san", "santa", "saint", "st",  "sao",
                                          "city", "el",  "la",    "los",   "de",  "the",
                                          "al",   "am",  "fort",  "port",  "old", "nueva"};
    const auto words_of = [&](const std::string& name) {
      std::vector<std::string> words;
      words_.split(name);
      for (std::size_t i = 0; i < words_.size(); ++i) {
        std::string word(words_.text(i));
        if (std::find(std::begin(kCommon), std::end(kCommon), word) == std::end(kCommon))
          words.push_back(std::move(word));
      }
      return words;
    };
    const auto left = words_of(a);
    const auto right = words_of(b);
    return std::any_of(left.begin(), left.end(), [&](const auto& x) {
      return std::any_of(right.begin(), right.end(), [&](const auto& y) {
        return 2 * distance(x, y) <= std::max(x.size(), y.size());
      });
    });
  }
  // Levenshtein's.
  static std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const std::size_t swapped = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, swapped}));
      }
    }
    return row.back();
  }
  void nickname(const std::vector<std::string>& f) {
    const std::uint8_t country = index_of(f[1]);
    const std::uint16_t admin = f[2].empty() ? std::uint16_t{0} : admin_of(f[1], f[2]);
    std::uint32_t place = Special::kNoPlace;
    if (!f[3].empty()) {
      const std::uint64_t key = key_of(f[3]);
      if (place_by_name_.empty()) {
        for (std::uint32_t i = 0; i < places_.size(); ++i) {
          for (const auto& name : places_[i].names) {
            if (places_[i].record.inhabitants < 10'000) continue;
            place_by_name_.emplace(key_of(name) * 256 + places_[i].record.country, i);
          }
        }
      }
      const auto [first, last] = place_by_name_.equal_range(key * 256 + country);
      for (auto at = first; at != last; ++at) {
        const PlaceRecord& record = places_[at->second].record;
        if (admin != 0 && record.admin != admin) continue;
        if (place == Special::kNoPlace || record.inhabitants > places_[place].record.inhabitants)
          place = at->second;
      }
      if (place == Special::kNoPlace) {
        std::cerr << "nickname of no place: " << f[1] << " " << f[3] << "\n";
      }
    }
    bool area = false;
    for (std::size_t i = 3; i < f.size(); ++i) {
      if (f[i] == "~") {
        area = true;
        continue;
      }
      if (i == 3 && (admin != 0 || place != Special::kNoPlace || f[i].empty())) continue;
      const bool capitals = f[i].starts_with('^');
      const std::string name = capitals ? f[i].substr(1) : f[i];
      if (place != Special::kNoPlace) {
        add_special(name,
                    {capitals ? Meaning::kNicknameCapitals : Meaning::kNickname, country,
                     places_[place].record.admin, place},
                    5e8);
      } else if (admin != 0 || area) {
        add_special(
            name,
            {capitals ? Meaning::kPartCode : Meaning::kPart, country, admin, Special::kNoPlace},
            5e8);
      } else {
        add_special(name,
                    {capitals ? Meaning::kCountryCode : Meaning::kCountryName, country, 0,
                     Special::kNoPlace},
                    9e8);
      }
    }
  }
  // A domain or a word, under a name that no place can have.
  void plain(const std::string& name, Meaning meaning) {
    entries_.push_back({name_key(name), 1, special({meaning, 0, 0, Special::kNoPlace}), 0});
  }
  void word(const std::vector<std::string>& f, std::size_t real) {
    const std::uint64_t key = key_of(f[2]);
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(real);
    const auto found = std::lower_bound(
        entries_.begin(), end, key,
        [](const Entry& entry, std::uint64_t wanted) { return entry.key < wanted; });
    if (key == 0 || found == end || found->key != key) return;
    const auto level = static_cast<std::uint16_t>(std::stoul(f[1]));
    add_special(f[2], {Meaning::kCommonWord, 0, level, Special::kNoPlace}, 1e11 - level);
  }
  void ring(const std::vector<std::string>& f) {
    Ring ring{
        INT32_MAX, INT32_MAX,     INT32_MIN, INT32_MIN, static_cast<std::uint32_t>(points_.size()),
        0,         index_of(f[1])};
    std::stringstream stream(f[2]);
    for (std::string pair; std::getline(stream, pair, ' ');) {
      const std::size_t comma = pair.find(',');
      const Point point{std::stoi(pair.substr(0, comma)), std::stoi(pair.substr(comma + 1))};
      ring.west = std::min(ring.west, point.longitude);
      ring.east = std::max(ring.east, point.longitude);
      ring.south = std::min(ring.south, point.latitude);
      ring.north = std::max(ring.north, point.latitude);
      points_.push_back(point);
      ++ring.count;
    }
    rings_.push_back(ring);
  }
  // How a country's inhabitants spread over its offsets.
  void offsets() {
    std::map<std::tuple<std::uint8_t, std::int8_t, std::int8_t>, double> sums;
    std::map<std::uint8_t, double> totals;
    for (const PlaceRow& place : places_) {
      const auto found = zone_by_name_.find(place.zone);
      if (found == zone_by_name_.end()) continue;
      const double people = place.record.inhabitants + 100.0;
      sums[{place.record.country, found->second.winter, found->second.summer}] += people;
      totals[place.record.country] += people;
    }
    for (const auto& [key, people] : sums) {
      const auto [country, winter, summer] = key;
      const auto share = static_cast<std::uint8_t>(255 * people / totals[country]);
      offsets_.push_back({country, winter, summer, share});
    }
  }
  void add_zone(const std::string& name, Zone zone) {
    zone.key = static_cast<std::uint32_t>(name_key(name));
    zones_.push_back(zone);
  }
  void zone(const std::vector<std::string>& f) {
    const Zone zone{0, index_of(f[2]), 0, static_cast<std::int8_t>(std::stoi(f[3]) / 15),
                    static_cast<std::int8_t>(std::stoi(f[4]) / 15)};
    add_zone(f[1], zone);
    zone_by_name_[f[1]] = zone;
  }
  void rails(const std::vector<std::string>& f) {
    const auto found = zone_by_name_.find(f[2]);
    if (found == zone_by_name_.end()) {
      std::cerr << "zone of no country: " << f[1] << "\n";
      return;
    }
    Zone zone = found->second;
    zone.rails = 1;
    // Quito and others borrow a neighbour's zone, but name their own country.
    words_.split(f[1]);
    double best = 0;
    for (const PlaceRow& place : places_) {
      if (place.names.front() == f[1] && place.record.inhabitants > best &&
          place.record.inhabitants > 100'000) {
        best = place.record.inhabitants;
        zone.country = place.record.country;
      }
    }
    add_zone(f[1], zone);
  }

  Words words_;
  std::vector<std::vector<std::string>> lines_;
  std::vector<Entry> entries_;
  std::vector<Special> specials_;
  std::map<std::tuple<Meaning, std::uint8_t, std::uint16_t, std::uint32_t>, std::uint32_t>
      special_index_;
  std::vector<PlaceRow> places_;
  std::vector<Part> parts_{Part{}};                             // by number; the first is none
  std::unordered_map<std::uint64_t, std::uint32_t> namesakes_;  // the largest place so called
  std::unordered_multimap<std::uint64_t, std::uint32_t> place_by_name_;
  std::unordered_map<std::string, std::uint16_t> admins_;
  std::vector<Ring> rings_;
  std::vector<Point> points_;
  std::vector<Zone> zones_;
  std::map<std::string, Zone> zone_by_name_;
  std::vector<OffsetShare> offsets_;
  std::string strings_;
};

}  // namespace
}  // namespace geotally::geo

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: geotally-geo-table REDUCED_LINES NOTICE OUTPUT\n";
    return 64;
  }
  std::ifstream notice(argv[2]);
  if (!notice) throw std::runtime_error(std::string("cannot read ") + argv[2]);
  std::stringstream text;
  text << notice.rdbuf();
  geotally::geo::Compiler compiler;
  compiler.read(argv[1]);
  compiler.write(argv[3], text.str());
  return 0;
} catch (const std::exception& error) {
  std::cerr << "geotally-geo-table: " << error.what() << "\n";
  return 1;
}
