#include "geo/places.h"

#include <algorithm>
#include <cmath>

#include "geo/coordinates.h"
#include "geo/domains.h"
#include "geo/place_match.h"
#include "geo/place_words.h"
#include "geo/words.h"

namespace geotally::geo {
namespace {

constexpr std::size_t kNameWordsMax = 5;
constexpr std::size_t kLongNameWordsMax = 9;  // of countries, see Meaning::kLonger
constexpr std::size_t kMatchesMax = 16;
constexpr std::size_t kLookupsMax = 400;

class Scan {
 public:
  Scan(const Table& table, const Prior& prior, std::string_view text, Field field, float shift)
      : table_(table), prior_(prior), text_(text), field_(field), odds_(std::exp(shift)) {}

  void run(Reading& reading) {
    hide_links();
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
    for (std::size_t i = 0; i < words_.size(); ++i) kinds_[i] = kinds_of_word(words_.text(i));
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
  // "linktr.ee/paris" and "a@berlin.example" name no place.
  void hide_links() {
    text_ = text_.substr(0, Words::kSourceMax);
    bool copied = false;
    for (auto link = next_link(text_, 0); link; link = next_link(text_, link->end)) {
      if (!link->marked) continue;
      if (!copied) {
        std::copy(text_.begin(), text_.end(), without_links_.begin());
        text_ = {without_links_.data(), text_.size()};
        copied = true;
      }
      std::fill(without_links_.begin() + static_cast<std::ptrdiff_t>(link->begin),
                without_links_.begin() + static_cast<std::ptrdiff_t>(link->end), '|');
    }
  }

  bool is(std::size_t word, int kinds) const { return (kinds_[word] & kinds) != 0; }

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
        longer_ = false;
        for (std::size_t n = longest; n > 0 && taken == 0; --n) {
          if (match(i, n, words_.text(i, n))) taken = n;
        }
        if (longer_) taken = match_longer(i, taken);
        if (taken == 0) taken = match_declined(i, longest);
        if (taken == 0 && match_joined(i)) taken = 1;
      }
      i += std::max<std::size_t>(taken, 1);
    }
  }

  // "Korea, Republic of" instead of its first `taken` words; what is taken in the end.
  std::size_t match_longer(std::size_t i, std::size_t taken) {
    const std::size_t before = match_count_;
    for (std::size_t n = std::min(kLongNameWordsMax, words_.size() - i);
         n > std::max<std::size_t>(taken, 1); --n) {
      const auto names_country = [&](Reference reference) {
        return reference.special() && table_.special(reference).meaning == Meaning::kCountryName;
      };
      bool country = false;
      ++lookups_;
      table_.find(name_key(words_.text(i, n)),
                  [&](Reference reference) { country = country || names_country(reference); });
      if (!country) continue;
      if (taken > 0) match_count_ = before - 1;
      return match(i, n, words_.text(i, n)) ? n : taken;
    }
    return taken;
  }

  // "in Berlin" in languages that decline names: в Берлине, z Krakowa.
  std::size_t match_declined(std::size_t i, std::size_t longest) {
    constexpr std::size_t kDeclinedMax = 3;
    if (!is_preposition_before_case(i)) return 0;
    for (std::size_t n = std::min(longest, kDeclinedMax); n > 0; --n) {
      bool found = false;
      for_nominatives(words_.text(i, n),
                      [&](std::string_view name) { found = found || match(i, n, name); });
      if (found) return n;
    }
    return 0;
  }
  // Slavic prepositions; those of one Latin letter mean other things without a verb before them.
  bool is_preposition_before_case(std::size_t i) const {
    if (i == 0 || words_[i].before > Break::kSpace) return false;
    return is(i - 1, kCase) ||
           (i > 1 && is(i - 1, kCaseBehindVerb) && is(i - 2, kResidence | kOrigin));
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
    return (i > 0 && is(i - 1, kCue)) || pinned(i) || words_.size() <= 4 ||
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
    const bool filler = count == 1 && !word.dense && is(first, kFiller | kPersonal);
    const std::uint32_t accents = accent_class(words_.accents(first, count));
    table_.find(name_key(name), [&](Reference reference) {
      const bool exact = accents == 0 || (reference.accents() & accents) != 0;
      if (!reference.special()) {
        if (filler || found.count == kSensesMax) return;
        const PlaceRecord& place = table_.place(reference.index());
        auto people = static_cast<float>(place.inhabitants);
        float known = renown(place);
        if (reference.borrowed()) {
          // By a name that is rather another's a city is as well known as a small town.
          people = std::min(people / 10, 10'000.0F);
          known = 0.5F;
        }
        found.senses[found.count++] = {Meaning::kNickname,
                                       true,
                                       place.country,
                                       place.admin,
                                       reference.index(),
                                       people,
                                       known,
                                       false,
                                       exact};
        return;
      }
      const Special& special = table_.special(reference);
      switch (special.meaning) {
        case Meaning::kLonger:
          longer_ = true;
          return;
        case Meaning::kDialect:
        case Meaning::kDomain:
        case Meaning::kWord:
          return;
        case Meaning::kTrap:
          found.trap = true;
          return;
        case Meaning::kCommonWord:
          // "Malé" is not "male".
          if (!exact) return;
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
      sense = {special.meaning, false, special.country, special.admin, special.place, 0, 1,
               false,           exact};
      if (special.place != Special::kNoPlace) {
        sense.inhabitants = static_cast<float>(table_.place(special.place).inhabitants);
      } else if (special.meaning == Meaning::kPart && special.admin != 0) {
        const Part& part = table_.part(special.admin);
        sense.inhabitants = part.inhabitants == 0 ? people_of_unknown_part(table_, sense)
                                                  : static_cast<float>(part.inhabitants);
        sense.admin = part.admin;
      }
    });
    // "Hotel California" is no place, and neither is its California.
    if (found.count == 0) return found.trap && count > 1;
    found.first = first;
    found.words = count;
    // Accents set a name apart as letters do.
    constexpr std::size_t kByAccents = 2;
    found.letters = name.size() + (accents != 0 ? kByAccents : 0);
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
    bool large = false;
    constexpr float kLarge = 1e5F;  // inhabitants
    for (std::size_t i = 0; i < match.count; ++i) {
      const auto& sense = match.senses[i];
      confirmed = confirmed || sense.confirmed;
      nickname = nickname || (!sense.city && sense.meaning == Meaning::kNicknameCapitals);
      part = part || (!sense.city && sense.meaning == Meaning::kPart);
      large = large || (sense.city && sense.inhabitants >= kLarge);
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
    // "living in Gent" is no word.
    constexpr float kSaidToBeOne = 0.85F;
    if (large && match.capitalised && !match.trap && stay(match) != Stay::kUnsaid)
      best = std::max(best, kSaidToBeOne);
    if (match.word && match.words < words_.size() && best < kSaidToBeOne) return 0;
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
      roles_[i] = words_[i].possessive || is(i, kPersonal) ? Role::kPersonal
                  : is(i, kFiller | kResidence | kOrigin)  ? Role::kFiller
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
    if (match.first == 0 || match.before > Break::kSpace) return false;
    if (is(match.first - 1, kCue | kResidence | kOrigin)) return true;
    // "vivo no Porto": a short word behind a verb.
    constexpr std::size_t kPrepositionMax = 4;  // bytes
    return match.first > 1 && words_[match.first - 1].before <= Break::kSpace &&
           words_.text(match.first - 1).size() <= kPrepositionMax &&
           is(match.first - 2, kResidence | kOrigin);
  }

  // ---- from names to countries ----
  enum class Stay : std::uint8_t { kUnsaid, kHere, kOnce };
  Stay stay(const Match& match) const {
    for (std::size_t i = match.first; i > 0 && match.first - i < 2; --i) {
      if (words_[i].before >= Break::kComma) return Stay::kUnsaid;
      if (is(i - 1, kResidence)) return Stay::kHere;
      if (is(i - 1, kOrigin)) return Stay::kOnce;
    }
    return Stay::kUnsaid;
  }
  // Where someone lives counts for more than where he comes from, if both are said.
  float pull(const Match& match, std::size_t rank, bool residence) const {
    constexpr float kHere = 1.1F;
    constexpr float kOnce = 0.7F;
    constexpr float kLater = 0.88F;
    if (match_count_ < 2) return 1;
    switch (stay(match)) {
      case Stay::kHere:
        return kHere;
      case Stay::kOnce:
        return kOnce;
      default:
        return residence ? kOnce : rank == 0 ? 1 : kLater;
    }
  }

  void collect(Reading& reading) {
    std::size_t rank = 0;
    std::array<bool, Country::kLimit> confirmed_before{};
    const bool residence =
        std::any_of(matches_.begin(), matches_.begin() + static_cast<std::ptrdiff_t>(match_count_),
                    [&](const Match& match) {
                      return match.reliability > 0.01F && stay(match) == Stay::kHere;
                    });
    for (std::size_t m = 0; m < match_count_; ++m) {
      const Match& match = matches_[m];
      if (match.reliability <= 0.01F || is_said_before(m)) continue;
      // Shares of the countries that the name can mean.
      std::array<float, kSensesMax> weight{};
      float total = 0;
      bool any_confirmed = false;
      bool any_exact = false;
      for (std::size_t i = 0; i < match.count; ++i) {
        any_confirmed = any_confirmed || match.senses[i].confirmed;
        any_exact = any_exact || match.senses[i].exact;
      }
      for (std::size_t i = 0; i < match.count; ++i) {
        const auto& sense = match.senses[i];
        float own = fame(table_, sense);
        if (any_exact && !sense.exact) own *= kFolded;
        // Who uses such networks names his places more often; of the smallest countries the prior
        // knows little.
        constexpr float kByUse = 0.3F;
        constexpr float kLeast = -7;
        own *= std::exp(kByUse * std::max(prior_[index(sense)], kLeast));
        if (any_confirmed && !sense.confirmed) own *= kUnconfirmed;
        weight[i] = own;
      }
      discount_namesakes(match, weight);
      for (std::size_t i = 0; i < match.count; ++i) total += weight[i];
      if (total <= 0) continue;
      const float strength = pull(match, rank, residence);
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
        // The second of two names that confirm each other lifts the country above the others, and
        // not above the prior once more: that would favour the rarer country.
        const bool again = sense.confirmed && confirmed_before[country];
        confirmed_before[country] = confirmed_before[country] || sense.confirmed;
        const float prior = again ? 1 : std::exp(prior_[country]);
        const float lift =
            std::log1p(match.reliability * share / (prior * (1 - match.reliability)));
        std::uint32_t city = 0;
        if (match.reliability > 0.3F) city = city_of(match, sense);
        reading.add({Country::from_index(country), lift * strength, city,
                     !sense.city && sense.meaning == Meaning::kDemonym, false, sense.confirmed});
        counted = true;
      }
      if (counted) ++rank;
    }
  }
  // A name says no more when it is said again.
  bool is_said_before(std::size_t m) const {
    const Match& match = matches_[m];
    if (match.dense) return false;
    return std::any_of(matches_.begin(), matches_.begin() + static_cast<std::ptrdiff_t>(m),
                       [&](const Match& other) {
                         return !other.dense && other.words == match.words &&
                                words_.text(other.first, other.words) ==
                                    words_.text(match.first, match.words) &&
                                other.reliability >= match.reliability;
                       });
  }
  // Of the cities of one name in one country the smaller are named with their state: a dozen towns
  // called Athens are no second Athens.
  void discount_namesakes(const Match& match, std::array<float, kSensesMax>& weight) const {
    constexpr float kSmaller = 0.3F;
    if (match.count < 2) return;
    std::array<float, Country::kLimit> most{};
    for (std::size_t i = 0; i < match.count; ++i) {
      const auto& sense = match.senses[i];
      if (sense.city) most[sense.country] = std::max(most[sense.country], weight[i]);
    }
    for (std::size_t i = 0; i < match.count; ++i) {
      const auto& sense = match.senses[i];
      if (sense.city && weight[i] < most[sense.country]) weight[i] *= kSmaller;
    }
  }
  // "Paris, TX" is not in France.
  static constexpr float kUnconfirmed = 1e-5F;
  // Who writes Münster does not mean Munster.
  static constexpr float kFolded = 0.05F;
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
  std::array<char, Words::kSourceMax> without_links_;  // where text_ has any, set by hide_links()
  Field field_;
  float odds_;  // factor on the odds of every reliability
  enum class Role : std::uint8_t { kOther, kFiller, kPersonal, kName };
  std::array<Role, Words::kWordsMax> roles_;       // set by assign_roles()
  std::array<WordKinds, Words::kWordsMax> kinds_;  // of every word, set by run()
  Words words_;
  std::array<Match, kMatchesMax + 1> matches_;  // set by match()
  std::size_t match_count_ = 0;
  std::size_t lookups_ = 0;
  bool longer_ = false;  // set by match()
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
