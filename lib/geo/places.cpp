#include "geo/places.h"

#include <algorithm>
#include <cmath>

#include "geo/coordinates.h"
#include "geo/place_words.h"
#include "geo/words.h"

namespace geotally::geo {
namespace {

constexpr std::size_t kNameWordsMax = 5;
constexpr std::size_t kMatchesMax = 16;
constexpr std::size_t kMeaningsMax = 24;
constexpr std::size_t kLookupsMax = 400;

// A name that was found in the text, and what it can mean.
struct Match {
  struct Sense {
    Meaning meaning;
    bool city;  // a place of its own, not one of the special meanings
    std::uint8_t country;
    std::uint16_t admin;
    std::uint32_t place;
    float inhabitants;
    bool confirmed;
  };
  std::array<Sense, kMeaningsMax> senses;
  std::size_t count = 0;
  std::size_t first = 0;  // word
  std::size_t words = 0;
  std::size_t letters = 0;  // bytes of the normalised name
  int common = 0;           // 1 to 5, 0 = no common word
  bool given_name = false;
  bool trap = false;
  bool capitals = false;
  bool capitalised = false;
  bool dense = false;
  Break before = Break::kStrong;
  std::size_t segment = 0;
  float reliability = 0;
};

constexpr bool is_code(Meaning meaning) {
  return meaning == Meaning::kCountryCode || meaning == Meaning::kPartCode ||
         meaning == Meaning::kNicknameCapitals;
}

class Scan {
 public:
  Scan(const Table& table, const Prior& prior, std::string_view text, Field field, float shift)
      : table_(table), prior_(prior), text_(text), field_(field), odds_(std::exp(shift)) {}

  void run(Reading& reading) {
    words_.split(text_);
    if (words_.size() == 0) return;
    shouted_ = words_.size() > 1;
    for (std::size_t i = 0; i < words_.size(); ++i) shouted_ = shouted_ && words_[i].capitals;
    find_matches();
    if (match_count_ == 0) return;
    confirm();
    drop_codes();
    assign_roles();
    for (std::size_t i = 0; i < match_count_; ++i) {
      const float plain = reliability(matches_[i]);
      matches_[i].reliability = plain * odds_ / (1 - plain + plain * odds_);
    }
    collect(reading);
  }

 private:
  // ---- names in the text ----
  void find_matches() {
    std::size_t i = 0;
    while (i < words_.size() && match_count_ < kMatchesMax && lookups_ < kLookupsMax) {
      if (words_[i].dense) {
        find_in_dense(i);
        ++i;
        continue;
      }
      std::size_t longest = 1;
      while (longest < kNameWordsMax && i + longest < words_.size() &&
             words_[i + longest].before <= Break::kHyphen && !words_[i + longest].dense) {
        ++longest;
      }
      std::size_t taken = 0;
      if (worth_looking(i)) {
        for (std::size_t n = longest; n > 0 && taken == 0; --n) {
          if (match(i, n, words_.text(i, n))) taken = n;
        }
      }
      i += std::max<std::size_t>(taken, 1);
    }
  }

  // In running text a place has a capital, or a word before it that announces one.
  bool worth_looking(std::size_t i) const {
    if (field_ == Field::kLocation) return true;
    if (words_[i].capitalised) return true;
    return (i > 0 && is_cue(words_.text(i - 1))) || pinned(i) || words_.size() <= 4 ||
           words_[i].before >= Break::kComma;
  }
  bool pinned(std::size_t i) const { return ends_in_pin(text_.substr(0, words_[i].raw_begin)); }

  // Scripts without spaces: the longest name at every character.
  void find_in_dense(std::size_t word) {
    const std::string_view text = words_.text(word);
    constexpr std::size_t kCharactersMax = 10;
    std::size_t at = 0;
    while (at < text.size() && match_count_ < kMatchesMax && lookups_ < kLookupsMax) {
      std::array<std::size_t, kCharactersMax + 1> ends{};
      std::size_t characters = 0;
      for (std::size_t end = at; end < text.size() && characters < kCharactersMax;) {
        ++end;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
        ends[++characters] = end;
      }
      std::size_t taken = 0;
      for (std::size_t n = characters; n >= 2 && taken == 0; --n) {
        if (match(word, 1, text.substr(at, ends[n] - at))) taken = ends[n] - at;
      }
      if (taken != 0) {
        at += taken;
      } else if (characters == 0) {
        return;
      } else {
        at = ends[1];
      }
    }
  }

  bool match(std::size_t first, std::size_t count, std::string_view name) {
    if (name.size() < 2) return false;
    ++lookups_;
    // Fields are set one by one: the senses are large, and only those below `count` are read.
    Match& found = matches_[match_count_];
    found.count = 0;
    found.common = 0;
    found.given_name = false;
    found.trap = false;
    const Word& word = words_[first];
    const bool code_position = (word.capitals && !shouted_) ||
                               (word.before == Break::kComma && field_ == Field::kLocation) ||
                               (count == 1 && words_.size() == 1 && word.capitals);
    table_.find(name_key(name), [&](std::uint32_t reference) {
      if (reference < Table::kFirstSpecial) {
        if (found.count == kMeaningsMax) return;
        const PlaceRecord& place = table_.place(reference);
        found.senses[found.count++] = {Meaning::kNickname,
                                       true,
                                       place.country,
                                       place.admin,
                                       reference,
                                       static_cast<float>(place.inhabitants),
                                       false};
        return;
      }
      const Special& special = table_.special(reference);
      switch (special.meaning) {
        case Meaning::kDialect:
          return;
        case Meaning::kTrap:
          found.trap = true;
          return;
        case Meaning::kCommonWord:
          if (special.admin == 6) {
            found.given_name = true;
          } else {
            found.common =
                found.common == 0 ? special.admin : std::min<int>(found.common, special.admin);
          }
          return;
        default:
          break;
      }
      // Codes in lower case without a comma are kept only if a neighbour confirms them.
      (void)code_position;
      if (found.count == kMeaningsMax) return;
      auto& sense = found.senses[found.count++];
      sense = {special.meaning, false, special.country, special.admin, special.place, 0, false};
      if (special.place != Special::kNoPlace) {
        sense.inhabitants = static_cast<float>(table_.place(special.place).inhabitants);
      }
    });
    if (found.count == 0) return false;
    found.first = first;
    found.words = count;
    found.letters = name.size();
    found.before = word.before;
    found.dense = word.dense;
    found.capitals = word.capitals && !shouted_;
    found.capitalised = word.capitalised;
    ++match_count_;
    return true;
  }

  // ---- names that stand together ----
  static bool supports(const Match::Sense& region, const Match::Sense& sense) {
    if (region.country != sense.country) return false;
    switch (region.meaning) {
      case Meaning::kCountryName:
      case Meaning::kCountryCode:
        return !(sense.meaning == Meaning::kCountryName ||
                 sense.meaning == Meaning::kCountryCode) ||
               sense.city;
      case Meaning::kPart:
      case Meaning::kPartCode:
        return !region.city &&
               (sense.city || sense.place != Special::kNoPlace ||
                sense.meaning == Meaning::kCounty) &&
               (region.admin == sense.admin || region.admin == 0) && region.admin != 0;
      default:
        return false;
    }
  }

  void confirm() {
    for (std::size_t i = 0; i < match_count_; ++i) {
      for (std::size_t j = i + 1; j < std::min(match_count_, i + 4); ++j) {
        // In running text only neighbours speak of each other.
        const std::size_t gap = matches_[j].first - (matches_[i].first + matches_[i].words);
        if (field_ != Field::kLocation && (gap > 0 || matches_[j].before > Break::kComma)) continue;
        if (matches_[j].first == matches_[i].first && !matches_[i].dense) continue;
        for (std::size_t a = 0; a < matches_[i].count; ++a) {
          for (std::size_t b = 0; b < matches_[j].count; ++b) {
            auto& left = matches_[i].senses[a];
            auto& right = matches_[j].senses[b];
            if (left.city && right.city) continue;
            if (supports(right, left) ||
                (!is_code(left.meaning) && supports(left, right) && !is_code(right.meaning))) {
              left.confirmed = true;
              right.confirmed = true;
            }
          }
        }
      }
    }
  }

  void drop_codes() {
    for (std::size_t m = 0; m < match_count_; ++m) {
      Match& match = matches_[m];
      const bool last_of_pair = match.before == Break::kComma;
      const bool allowed =
          match.capitals || last_of_pair || (words_.size() == 1 && words_[match.first].capitals);
      std::size_t kept = 0;
      bool confirmed_code = false;
      for (std::size_t i = 0; i < match.count; ++i) {
        confirmed_code = confirmed_code || (is_code(match.senses[i].meaning) &&
                                            !match.senses[i].city && match.senses[i].confirmed);
      }
      for (std::size_t i = 0; i < match.count; ++i) {
        const auto& sense = match.senses[i];
        const bool code = !sense.city && is_code(sense.meaning);
        // Two letters in running text are a word, unless the city before them says otherwise.
        if (code && !sense.confirmed &&
            (!allowed || (field_ != Field::kLocation && match.letters <= 3)))
          continue;
        if (code && !sense.confirmed && confirmed_code) continue;
        // A small place called like a code is not meant.
        if (sense.city && confirmed_code && match.letters <= 3) continue;
        match.senses[kept++] = sense;
      }
      match.count = kept;
    }
  }

  // ---- how far a name is to be trusted ----
  float reliability(const Match& match) const {
    if (match.count == 0) return 0;
    bool confirmed = false;
    float best = 0;
    float largest = 0;
    bool code_only = true;
    for (std::size_t i = 0; i < match.count; ++i) {
      const auto& sense = match.senses[i];
      confirmed = confirmed || sense.confirmed;
      const float own = trust(match, sense);
      if (own > best) {
        best = own;
        code_only = !sense.city && is_code(sense.meaning);
      }
      largest = std::max(largest, sense.inhabitants);
    }
    (void)code_only;
    (void)largest;
    // What else is said in the same part of the text.
    std::size_t others = 0;
    bool personal = false;
    const auto [from, to] = segment_of(match.first);
    for (std::size_t i = from; i < to; ++i) {
      personal = personal || roles_[i] == Role::kPersonal;
      if (roles_[i] == Role::kOther || roles_[i] == Role::kPersonal) ++others;
    }
    if (confirmed) {
      const float sure = match.trap || match.common == 1 ? 0.93F : 0.975F;
      if (field_ == Field::kLocation) return personal ? 0.8F : sure;
      if (field_ == Field::kPost) return 0.35F;
      return cued(match) ? 0.93F : 0.8F;
    }
    float result = best;
    if (match.trap) {
      const bool alone = others == 0 && match.words == to - from;
      result *= alone ? 0.02F : 0.1F;
    }
    if (others > 0 && !match.dense && !(field_ == Field::kDescription && is_demonym(match))) {
      const bool strong = best > 0.88F;
      result *= strong ? (others > 2 ? 0.7F : 0.85F) : (match.words > 1 ? 0.75F : 0.45F);
    }
    if (personal) result *= 0.4F;
    if (field_ == Field::kDescription) {
      if (is_demonym(match)) {
        result *= match.words == to - from || match.capitalised ? 0.95F : 0.85F;
      } else if (cued(match)) {
        result *= 0.96F;
      } else if (match.words == to - from) {
        result *= 0.6F;
      } else {
        result *= 0.3F;
      }
    } else if (field_ == Field::kPost) {
      result *= 0.08F;
    }
    return result;
  }

  float trust(const Match& match, const Match::Sense& sense) const {
    float result = 0;
    if (sense.city) {
      const float people = sense.inhabitants;
      result = people >= 1e6F   ? 0.93F
               : people >= 3e5F ? 0.91F
               : people >= 1e5F ? 0.87F
               : people >= 3e4F ? 0.72F
               : people >= 1e4F ? 0.62F
               : people >= 3e3F ? 0.45F
                                : 0.3F;
      if (match.words > 1) result = 1 - (1 - result) * 0.55F;
      if (!match.dense) {
        if (match.words == 1 && match.letters <= 3) result *= 0.25F;
        if (match.words == 1 && match.letters == 4) result *= people >= 3e5F ? 0.95F : 0.6F;
        if (match.words == 1 && match.letters >= 9 && match.common == 0)
          result = 1 - (1 - result) * 0.8F;
      }
      if (match.common != 0) {
        static constexpr float kByLevel[] = {1, 0.06F, 0.15F, 0.35F, 0.5F, 0.25F};
        const float factor = kByLevel[match.common];
        result *= people >= 1e6F ? std::sqrt(factor) : factor;
      }
      if (match.given_name && match.words == 1)
        result *= people >= 1e6F ? 0.97F : people >= 3e5F ? 0.85F : people >= 1e5F ? 0.6F : 0.25F;
    } else {
      switch (sense.meaning) {
        case Meaning::kCountryName:
          result = match.letters <= 3 && !match.dense ? 0.85F : 0.96F;
          break;
        case Meaning::kCountryCode:
          result = match.before == Break::kComma ? 0.8F : 0.6F;
          break;
        case Meaning::kPart:
          result = match.letters <= 4 && !match.dense ? 0.75F : 0.92F;
          break;
        case Meaning::kPartCode:
          result = match.before == Break::kComma ? 0.88F : 0.55F;
          break;
        case Meaning::kCounty:
          result = match.words > 1 ? 0.75F : 0.45F;
          break;
        case Meaning::kNickname:
          result = match.letters <= 3 && !match.dense ? 0.8F : 0.92F;
          break;
        case Meaning::kNicknameCapitals:
          result = 0.75F;
          break;
        case Meaning::kDemonym:
          result = 0.85F;
          break;
        default:
          result = 0;
          break;
      }
      if (match.common != 0 && match.common <= 2 && sense.meaning != Meaning::kCountryName &&
          sense.meaning != Meaning::kDemonym && !is_code(sense.meaning)) {
        result *= 0.5F;
      }
      if (match.given_name && match.words == 1 && !is_code(sense.meaning)) result *= 0.85F;
    }
    return result;
  }

  // What every word is to the names around it.
  void assign_roles() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string_view word = words_.text(i);
      roles_[i] = words_[i].possessive || is_personal(word) ? Role::kPersonal
                  : is_filler(word)                         ? Role::kFiller
                                                            : Role::kOther;
    }
    for (std::size_t m = 0; m < match_count_; ++m) {
      if (matches_[m].count == 0) continue;
      for (std::size_t i = 0; i < matches_[m].words; ++i)
        roles_[matches_[m].first + i] = Role::kName;
    }
  }
  std::pair<std::size_t, std::size_t> segment_of(std::size_t word) const {
    std::size_t from = word;
    while (from > 0 && words_[from].before < Break::kComma) --from;
    std::size_t to = word + 1;
    while (to < words_.size() && words_[to].before < Break::kComma) ++to;
    return {from, to};
  }
  static bool is_demonym(const Match& match) {
    for (std::size_t i = 0; i < match.count; ++i) {
      if (!match.senses[i].city && match.senses[i].meaning == Meaning::kDemonym) return true;
    }
    return false;
  }
  bool cued(const Match& match) const {
    if (pinned(match.first)) return true;
    return match.first > 0 && match.before <= Break::kSpace && is_cue(words_.text(match.first - 1));
  }

  // ---- from names to countries ----
  void collect(Reading& reading) {
    std::size_t rank = 0;
    for (std::size_t m = 0; m < match_count_; ++m) {
      const Match& match = matches_[m];
      if (match.reliability <= 0.01F) continue;
      // Shares of the countries that the name can mean.
      std::array<float, kMeaningsMax> weight{};
      float total = 0;
      bool any_confirmed = false;
      for (std::size_t i = 0; i < match.count; ++i)
        any_confirmed = any_confirmed || match.senses[i].confirmed;
      for (std::size_t i = 0; i < match.count; ++i) {
        const auto& sense = match.senses[i];
        float own = 0;
        if (sense.city) {
          own = std::pow(sense.inhabitants + 300, 1.1F);
        } else {
          switch (sense.meaning) {
            case Meaning::kCountryName:
              own = 20 * people(sense, 1);
              break;
            case Meaning::kPart:
              own = people(sense, kParts);
              break;
            case Meaning::kNickname:
              own = 2e8F;
              break;
            case Meaning::kNicknameCapitals:
              own = 1e8F;
              break;
            case Meaning::kPartCode:
              own = 1e8F;
              break;
            case Meaning::kCountryCode:
              own = 2e7F;
              break;
            case Meaning::kCounty:
              own = 1e5F;
              break;
            case Meaning::kDemonym:
              own = 1e8F;
              break;
            default:
              break;
          }
        }
        // Who uses such networks names his places more often.
        own *= std::exp(0.35F * prior_[index(sense)]);
        if (any_confirmed && !sense.confirmed) own *= 0.01F;
        weight[i] = own;
        total += own;
      }
      if (total <= 0) continue;
      const float pull = rank == 0 ? 1.0F : 0.88F;
      std::array<bool, kMeaningsMax> done{};
      bool counted = false;
      for (std::size_t i = 0; i < match.count; ++i) {
        if (done[i]) continue;
        float share = 0;
        std::size_t best = i;
        for (std::size_t j = i; j < match.count; ++j) {
          if (match.senses[j].country != match.senses[i].country) continue;
          done[j] = true;
          share += weight[j] / total;
          if (weight[j] > weight[best]) best = j;
        }
        if (share < 0.02F) continue;
        const auto& sense = match.senses[best];
        const std::size_t country = index(sense);
        const float prior = std::exp(prior_[country]);
        const float lift =
            std::log1p(match.reliability * share / (prior * (1 - match.reliability)));
        std::uint32_t city = 0;
        if (match.reliability > 0.3F) city = city_of(match, sense);
        reading.add({Country::from_index(country), lift * pull, city,
                     !sense.city && sense.meaning == Meaning::kDemonym, false, sense.confirmed});
        counted = true;
      }
      if (counted) ++rank;
    }
  }
  // Of a country, or of one of its parts, where it has `parts`.
  static constexpr float kParts = 15;
  float people(const Match::Sense& sense, float parts) const {
    const auto all = static_cast<float>(table_.country(sense.country).population());
    return std::pow(std::max(all / parts, 1'000.0F), 1.1F);
  }
  // The city that is meant; a name of a part and of its capital means the capital.
  std::uint32_t city_of(const Match& match, const Match::Sense& best) const {
    constexpr float kCapital = 50'000;
    const Match::Sense* found = &best;
    if (best.place == Special::kNoPlace &&
        (best.meaning == Meaning::kPart ||
         (best.meaning == Meaning::kCountryName && match.dense))) {
      for (std::size_t i = 0; i < match.count; ++i) {
        const auto& sense = match.senses[i];
        if (sense.country == best.country && sense.city && sense.inhabitants > kCapital &&
            (found == &best || sense.inhabitants > found->inhabitants)) {
          found = &sense;
        }
      }
    }
    return found->place == Special::kNoPlace ? 0 : table_.place(found->place).id;
  }
  std::size_t index(const Match::Sense& sense) const {
    return table_.country(sense.country).index();
  }

  const Table& table_;
  const Prior& prior_;
  std::string_view text_;
  Field field_;
  float odds_;  // factor on the odds of every reliability
  enum class Role : std::uint8_t { kOther, kFiller, kPersonal, kName };
  std::array<Role, Words::kWordsMax> roles_;  // set by assign_roles()
  Words words_;
  std::array<Match, kMatchesMax + 1> matches_;  // set by match()
  std::size_t match_count_ = 0;
  std::size_t lookups_ = 0;
  bool shouted_ = false;
};

}  // namespace

void Reading::add(const Item& item) {
  if (!item.country.known()) return;
  for (std::size_t i = 0; i < count; ++i) {
    Item& known = items[i];
    if (known.country != item.country) continue;
    known.lift += item.lift;
    known.demonym = known.demonym && item.demonym;
    known.confirmed = known.confirmed || item.confirmed;
    if (known.city == 0) known.city = item.city;
    return;
  }
  if (count == kMax) {
    auto& last = *std::min_element(items.begin(), items.end(),
                                   [](const Item& x, const Item& y) { return x.lift < y.lift; });
    if (last.lift < item.lift) last = item;
    return;
  }
  items[count++] = item;
}

void Reading::sort() {
  std::sort(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count),
            [](const Item& a, const Item& b) { return a.lift > b.lift; });
}

void read_places(const Table& table, const Prior& prior, std::string_view text, Field field,
                 float shift, Reading& reading) {
  if (text.empty()) return;
  if (field == Field::kLocation) {
    if (const auto point = find_coordinates(text)) {
      const Country country = table.country_at(point->first, point->second);
      if (country.known()) {
        reading.add({country, 3.5F - prior[country.index()], 0, false, true, false});
        return;
      }
    }
  }
  Scan(table, prior, text, field, shift).run(reading);
}

}  // namespace geotally::geo
