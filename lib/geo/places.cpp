#include "geo/places.h"

#include <algorithm>
#include <cmath>

#include "geo/coordinates.h"
#include "geo/place_match.h"
#include "geo/place_words.h"
#include "geo/words.h"

namespace geotally::geo {
namespace {

constexpr std::size_t kNameWordsMax = 5;
constexpr std::size_t kMatchesMax = 16;
constexpr std::size_t kLookupsMax = 400;

class Scan {
 public:
  Scan(const Table& table, const Prior& prior, std::string_view text, Field field, float shift)
      : table_(table), prior_(prior), text_(text), field_(field), odds_(std::exp(shift)) {}

  void run(Reading& reading) {
    words_.split(text_);
    if (words_.size() == 0) return;
    // All in capitals, and not only because it is all codes ("NV/UT").
    constexpr std::size_t kCodeMax = 3;
    constexpr std::size_t kCodesMax = 4;
    bool longer = words_.size() > kCodesMax;
    shouted_ = words_.size() > 1;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      shouted_ = shouted_ && words_[i].capitals;
      longer = longer || words_.text(i).size() > kCodeMax;
    }
    shouted_ = shouted_ && longer;
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
        if (taken == 0 && match_joined(i)) taken = 1;
      }
      i += std::max<std::size_t>(taken, 1);
    }
  }

  // "NewYork" and "#CapeTown": capitals where spaces were.
  bool match_joined(std::size_t i) {
    const Word& word = words_[i];
    const std::string_view raw = text_.substr(word.raw_begin, word.raw_end - word.raw_begin);
    std::array<char, 32> apart;
    std::size_t size = 0;
    std::size_t spaces = 0;
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    for (std::size_t at = 0; at < raw.size(); ++at) {
      const bool upper = raw[at] >= 'A' && raw[at] <= 'Z';
      if ((!upper && !is_lower(raw[at])) || size + 2 > apart.size()) return false;
      if (upper && at > 0 && is_lower(raw[at - 1])) {
        apart[size++] = ' ';
        ++spaces;
      }
      apart[size++] = static_cast<char>(raw[at] | 0x20);
    }
    return spaces > 0 && spaces < kNameWordsMax && match(i, 1, {apart.data(), size});
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
    found.word = false;
    const Word& word = words_[first];
    // "Southern" and "Island" are the names of some part somewhere, but say nothing alone.
    const bool filler = count == 1 && (is_filler(name) || is_personal(name));
    table_.find(name_key(name), [&](std::uint32_t reference) {
      if (reference < Table::kFirstSpecial) {
        if (filler || found.count == kSensesMax) return;
        constexpr float kByBorrowers = 0.1F;
        const bool borrowed = (reference & Table::kBorrowed) != 0;
        reference &= ~Table::kBorrowed;
        const PlaceRecord& place = table_.place(reference);
        found.senses[found.count++] = {
            Meaning::kNickname,
            true,
            place.country,
            place.admin,
            reference,
            static_cast<float>(place.inhabitants) * (borrowed ? kByBorrowers : 1),
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
      if (found.count == kSensesMax) return;
      if (filler && special.meaning != Meaning::kCountryName && !is_code(special.meaning)) return;
      auto& sense = found.senses[found.count++];
      sense = {special.meaning, false, special.country, special.admin, special.place, 0, false};
      if (special.place != Special::kNoPlace) {
        sense.inhabitants = static_cast<float>(table_.place(special.place).inhabitants);
      }
    });
    // "Hotel California" is no place, and neither is its California.
    if (found.count == 0) return found.trap && count > 1;
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
            if (is_code(left.meaning) && !left.city && is_word(matches_[i])) continue;
            if (is_code(right.meaning) && !right.city && is_word(matches_[j])) continue;
            const bool codes = two_codes(left, right) && matches_[j].before == Break::kStrong &&
                               matches_[i].capitals && matches_[j].capitals;
            if (codes || supports(right, left) ||
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
      // "wv" is no word.
      const auto [from, to] = segment_of(match.first);
      const bool lone = field_ == Field::kLocation && to - from == match.words &&
                        match.common == 0 && !match.trap && !match.given_name;
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
        const bool part = sense.meaning != Meaning::kCountryCode;
        // "UP" and "Jal" are written behind a city only.
        if (sense.meaning == Meaning::kPartCode && !sense.city && !sense.confirmed &&
            !parts_stand_alone(table_.country(sense.country))) {
          continue;
        }
        if (code && !sense.confirmed &&
            (!(allowed || (lone && part)) || (field_ != Field::kLocation && match.letters <= 3)))
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
    bool nickname = false;
    bool part = false;
    for (std::size_t i = 0; i < match.count; ++i) {
      const auto& sense = match.senses[i];
      confirmed = confirmed || sense.confirmed;
      nickname = nickname || (!sense.city && sense.meaning == Meaning::kNicknameCapitals);
      part = part || (!sense.city && sense.meaning == Meaning::kPart);
      best = std::max(best, trust(table_, prior_, match, sense));
    }
    // What else is said in the same part of the text.
    std::size_t others = 0;
    bool personal = false;
    const auto [from, to] = segment_of(match.first);
    for (std::size_t i = from; i < to; ++i) {
      if (i >= match.first && i < match.first + match.words) continue;
      personal = personal || roles_[i] == Role::kPersonal;
      if (roles_[i] == Role::kOther || roles_[i] == Role::kPersonal) ++others;
    }
    if (confirmed) {
      const float sure = match.trap || match.common == 1 ? 0.93F : 0.975F;
      if (field_ == Field::kLocation) return personal ? 0.8F : sure;
      if (field_ == Field::kPost) return 0.35F;
      return cued(match) ? 0.93F : 0.8F;
    }
    if (match.word && match.words < words_.size()) return 0;
    float result = best;
    if (match.trap && !(nickname && match.capitals)) {
      const bool alone = others == 0 && match.words == to - from;
      result *= alone ? 0.02F : 0.1F;
    }
    if (others > 0 && !match.dense && !(field_ == Field::kDescription && is_demonym(match))) {
      // One name in a sentence is seldom the place of who wrote it, unless he says so.
      const bool announced = cued(match);
      const bool sentence = others > 2 && !announced;
      const bool strong = best > 0.88F || part;
      result *= strong                         ? (sentence ? 0.6F : 0.85F)
                : sentence                     ? 0.25F
                : match.words > 1 || announced ? 0.75F
                                               : 0.45F;
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

  // What every word is to the names around it.
  void assign_roles() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string_view word = words_.text(i);
      roles_[i] = words_[i].possessive || is_personal(word) ? Role::kPersonal
                  : is_filler(word)                         ? Role::kFiller
                                                            : Role::kOther;
    }
    for (std::size_t m = 0; m < match_count_; ++m) {
      // Some village is called like almost any word.
      constexpr float kWord = 0.4F;
      float most = 0;
      for (std::size_t i = 0; i < matches_[m].count; ++i) {
        const auto& sense = matches_[m].senses[i];
        const bool sure = sense.confirmed || (!sense.city && is_code(sense.meaning));
        most = std::max(most, sure ? 1.0F : trust(table_, prior_, matches_[m], sense));
      }
      matches_[m].word = most < kWord;
      if (matches_[m].word) continue;
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
  bool cued(const Match& match) const {
    if (pinned(match.first)) return true;
    return match.first > 0 && match.before <= Break::kSpace && is_cue(words_.text(match.first - 1));
  }

  // ---- from names to countries ----
  // Where someone lives counts for more than where he comes from, if both are said.
  float stay(const Match& match) const {
    constexpr float kHere = 1.1F;
    constexpr float kOnce = 0.7F;
    if (match_count_ < 2) return 1;
    for (std::size_t i = match.first; i > 0 && match.first - i < 2; --i) {
      if (words_[i].before >= Break::kComma) return 1;
      const std::string_view word = words_.text(i - 1);
      if (is_residence(word)) return kHere;
      if (is_origin(word)) return kOnce;
    }
    return 1;
  }

  void collect(Reading& reading) {
    std::size_t rank = 0;
    for (std::size_t m = 0; m < match_count_; ++m) {
      const Match& match = matches_[m];
      if (match.reliability <= 0.01F) continue;
      // Shares of the countries that the name can mean.
      std::array<float, kSensesMax> weight{};
      float total = 0;
      bool any_confirmed = false;
      for (std::size_t i = 0; i < match.count; ++i)
        any_confirmed = any_confirmed || match.senses[i].confirmed;
      for (std::size_t i = 0; i < match.count; ++i) {
        const auto& sense = match.senses[i];
        float own = fame(table_, sense);
        // Who uses such networks names his places more often.
        own *= std::exp(0.35F * prior_[index(sense)]);
        if (any_confirmed && !sense.confirmed) own *= kUnconfirmed;
        weight[i] = own;
        total += own;
      }
      if (total <= 0) continue;
      const float pull = (rank == 0 ? 1.0F : 0.88F) * stay(match);
      std::array<bool, kSensesMax> done{};
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
  // "Paris, TX" is not in France.
  static constexpr float kUnconfirmed = 0.001F;
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
