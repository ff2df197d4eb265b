#include "feed/world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "feed/random.h"

namespace geotally::feedgen {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kJanuaryToJuly = 182 * kDay;  // of 2012

/// Posts by hour of the day, local time: people sleep, and write most in the evening.
constexpr std::array<double, 24> kRhythm = {.45, .28, .17, .12, .10, .12, .22, .38,
                                            .52, .60, .63, .66, .72, .70, .66, .65,
                                            .68, .74, .82, .90, .97, 1.0, .92, .70};

enum class Posting : std::uint8_t {
  kActive,   ///< posts within the last 90 days
  kEarlier,  ///< posted, but before them
  kNever,
};

/// How the status of an account changes over its life. By quota: one account in 100 has one.
enum class Fate : std::uint8_t {
  kNone,
  kTakendownReturns,
  kDeactivatedReturns,
  kSuspended,
  kDeleted,
  kDesynchronized,
  kThrottled,
  kTakendown,
  kLeavesTwice,
};
constexpr std::uint64_t kFates = 8;

enum class Move : std::uint8_t {
  kNone,
  kForGood,
  kForATime,  ///< an address elsewhere that is deleted again
};

struct Account {
  std::int64_t join_us = 0;
  std::int64_t last_us = 0;  ///< posts nothing after it
  std::uint8_t country = 0;
  std::uint8_t destination = 0;
  Hint hint = Hint::kNone;
  Posting posting{};
  Fate fate{};
  Move move{};
};

/// Half of those who declare an address do so in a record of its own, half in their community profile.
bool declares_as_person(std::uint32_t id) { return mix(id) % 2 == 0; }
EntryKind declared_by(std::uint32_t id) {
  return declares_as_person(id) ? EntryKind::kPerson : EntryKind::kAddress;
}
EntryKind declared_anew_by(std::uint32_t id) {
  return declares_as_person(id) ? EntryKind::kPersonUpdate : EntryKind::kAddressUpdate;
}
EntryKind withdrawn_by(std::uint32_t id) {
  return declares_as_person(id) ? EntryKind::kPersonDelete : EntryKind::kAddressDelete;
}

std::span<const CountryShare> countries_of(const std::string& name) {
  if (name == "july-2012" || name == "january-2012" || name == "study-2012") return study_2012();
  if (name == "small") return small_world();
  throw std::invalid_argument("--world: '" + name +
                              "' is none of july-2012, january-2012, study-2012, small, flood");
}

std::vector<double> account_weights(std::span<const CountryShare> countries, bool january) {
  std::vector<double> weights;
  for (const CountryShare& country : countries) {
    weights.push_back(january ? country.january : country.july);
  }
  return weights;
}

class Builder {
 public:
  Builder(const WorldOptions& options, std::span<const CountryShare> countries)
      : options_(options),
        countries_(countries),
        random_(options.seed),
        end_us_(options.end_us),
        begin_us_(end_us_ - static_cast<std::int64_t>(options.days * static_cast<double>(kDay))) {}

  std::vector<Entry> build() {
    make_accounts();
    make_movers();
    for (std::uint32_t id = 0; id < accounts_.size(); ++id) introduce(id);
    for (std::uint32_t id = 0; id < accounts_.size(); ++id) live(id);
    if (entries_.size() > options_.events) {
      throw std::invalid_argument("--events: " + std::to_string(accounts_.size()) +
                                  " accounts of this world need at least " +
                                  std::to_string(entries_.size()) + " events");
    }
    index_authors();
    while (entries_.size() < options_.events) act();
    order();
    settle();
    return std::move(entries_);
  }

 private:
  void make_accounts() {
    const auto weights = account_weights(countries_, options_.name == "january-2012");
    const auto numbers = quotas(weights, options_.accounts);
    const bool both = options_.name == "study-2012";
    accounts_.reserve(options_.accounts);
    std::uint64_t serial = 0;
    for (std::size_t c = 0; c < countries_.size(); ++c) {
      const auto active = static_cast<std::uint64_t>(
          std::llround(static_cast<double>(numbers[c]) * countries_[c].active / 100));
      for (std::uint64_t k = 0; k < numbers[c]; ++k, ++serial) {
        Account account;
        account.country = static_cast<std::uint8_t>(c);
        const bool is_active = (k + 1) * active / numbers[c] > k * active / numbers[c];
        settle_posting(account, is_active, k);
        if (both) join_by_study(account, k, numbers[c]);
        account.hint = hint_of(countries_[c], account.posting, mix(k, c) % 20);
        // Spread over the list of all accounts, so that no country loses more than its part.
        if (serial % 100 == 50) {
          account.fate = static_cast<Fate>(1 + serial / 100 % kFates);
        }
        accounts_.push_back(account);
      }
    }
    for (std::size_t i = accounts_.size(); i > 1; --i) {
      std::swap(accounts_[i - 1], accounts_[random_.below(i)]);
    }
  }

  void settle_posting(Account& account, bool active, std::uint64_t k) {
    const std::int64_t latest_us = end_us_ - kHour;
    const std::int64_t old_us = end_us_ - 91 * kDay;
    if (active) {
      account.posting = Posting::kActive;
      account.join_us = random_.between(begin_us_, std::max(begin_us_, end_us_ - kDay));
      account.last_us = end_us_;
    } else if (k % 2 == 0 && begin_us_ + kDay < old_us) {
      account.posting = Posting::kEarlier;
      account.join_us = random_.between(begin_us_, old_us - kHour);
      account.last_us = old_us;
    } else {
      account.posting = Posting::kNever;
      account.join_us = random_.between(begin_us_, std::max(begin_us_, latest_us));
      account.last_us = account.join_us;
    }
  }

  /// For a world that shows January 2012 before July: the accounts of January joined before it.
  /// Among them Brazil's came last, so that Brazil is seen to overtake Japan in December.
  void join_by_study(Account& account, std::uint64_t k, std::uint64_t number) {
    const CountryShare& country = countries_[account.country];
    const auto early = static_cast<std::uint64_t>(
        std::llround(static_cast<double>(number) * country.january / country.july));
    const std::int64_t january_us = end_us_ - kJanuaryToJuly;
    const bool before =
        (k * 2'147'483'647 % number) < early;  // spread over those who post and do not
    const auto span_us = static_cast<double>(january_us - kHour - begin_us_);
    if (!before) {
      const std::int64_t latest_us = account.posting == Posting::kEarlier  ? account.last_us - kHour
                                     : account.posting == Posting::kActive ? end_us_ - kDay
                                                                           : end_us_ - kHour;
      account.join_us = random_.between(january_us, latest_us);
    } else {
      double place = random_.real();
      if (country.code == "BR") place = std::pow(place, 0.8);
      if (country.code == "JP") place *= 0.6;
      account.join_us = begin_us_ + static_cast<std::int64_t>(place * span_us);
    }
    if (account.posting == Posting::kNever) account.last_us = account.join_us;
  }

  static Hint hint_of(const CountryShare& country, Posting posting, std::uint64_t draw) {
    if (country.code == "ZZ") return Hint::kNone;
    if (posting == Posting::kNever) return draw < 14 ? Hint::kFlag : Hint::kAddress;
    if (country.sole_language && draw < 6) return Hint::kLanguage;
    if (draw < (country.sole_language ? 10 : 7)) return Hint::kRegion;
    // A flag among posts in English leaves doubt.
    if (draw < 17 && country.language == "en") return Hint::kRegion;
    return draw < 17 ? Hint::kFlag : Hint::kAddress;
  }

  /// Those who move for good exchange countries in a circle, so that no country's quota changes.
  void make_movers() {
    std::vector<std::uint32_t> circle;
    for (std::uint32_t id = 0; id < accounts_.size(); ++id) {
      Account& account = accounts_[id];
      if (account.hint == Hint::kNone || account.fate != Fate::kNone) continue;
      if (account.join_us > end_us_ - 3 * kHour) continue;
      const std::uint64_t draw = random_.below(1000);
      if (draw < 6) {
        account.move = Move::kForGood;
        circle.push_back(id);
      } else if (draw < 9 && account.hint != Hint::kAddress) {
        account.move = Move::kForATime;
        account.destination = other_country(account.country);
      }
    }
    for (std::size_t i = 0; i < circle.size(); ++i) {
      accounts_[circle[i]].destination = accounts_[circle[(i + 1) % circle.size()]].country;
    }
  }

  std::uint8_t other_country(std::uint8_t home) {
    const auto known = static_cast<std::uint8_t>(countries_.size() - 1);  // without ZZ
    const auto step = static_cast<std::uint8_t>(1 + random_.below(known - 1U));
    return static_cast<std::uint8_t>((home + step) % known);
  }

  Entry& add(std::uint32_t id, std::int64_t time_us, EntryKind kind, int tie = 0) {
    Entry entry;
    entry.time_us = std::clamp(time_us, begin_us_, end_us_);
    entry.account = id;
    entry.kind = kind;
    entry.tie = static_cast<std::uint8_t>(tie);
    return entries_.emplace_back(entry);
  }

  void add_post(std::uint32_t id, std::int64_t time_us, bool first = false, int tie = 0) {
    const Account& account = accounts_[id];
    Entry& entry =
        add(id, time_us, random_.below(5) < 2 ? EntryKind::kReply : EntryKind::kPost, tie);
    if (entry.kind == EntryKind::kReply) {
      entry.ref_account = static_cast<std::uint32_t>(random_.below(accounts_.size()));
      entry.ref_us = time_us - random_.between(kSecond, kDay);
    }
    entry.language = account.country;
    if (account.hint == Hint::kRegion || account.hint == Hint::kLanguage) {
      // Some of their later posts declare nothing; the first one always does.
      entry.says_language = first || random_.below(8) != 0;
      if (entry.says_language) {
        entry.hint = account.hint;
        entry.country = account.country;
      }
    } else if (account.hint != Hint::kNone) {
      entry.says_language = random_.below(4) != 0;
      if (entry.says_language && countries_[account.country].sole_language) {
        entry.hint = Hint::kLanguage;
        entry.country = account.country;
      }
    }
  }

  /// The first that is heard of an account: its evidence, before or with its first post.
  void introduce(std::uint32_t id) {
    const Account& account = accounts_[id];
    const std::int64_t at_us = account.join_us;
    const std::uint64_t draw = random_.below(100);
    if (draw < 10) {
      add(id, at_us - 2 * kSecond, EntryKind::kHandle);
      add(id, at_us - 2 * kSecond + 1000, EntryKind::kActive);
    }
    int tie = 0;
    if (account.hint == Hint::kFlag || account.hint == Hint::kAddress) {
      const bool address = account.hint == Hint::kAddress;
      if (address && draw % 2 == 0) add(id, at_us, EntryKind::kProfile, tie++);
      Entry& entry = add(id, at_us, address ? declared_by(id) : EntryKind::kProfile, tie++);
      entry.hint = account.hint;
      entry.country = account.country;
    } else if (account.hint == Hint::kNone || draw < 30) {
      if (account.posting == Posting::kNever && draw % 3 == 0) {
        add(id, at_us, EntryKind::kActive);
      } else if (account.posting == Posting::kNever || draw % 2 == 0) {
        add(id, at_us, EntryKind::kProfile, tie++);  // says nothing of a place
      }
    }
    if (account.posting == Posting::kNever) return;
    // In the commit of the evidence, or later; those whose posts are the evidence begin with one.
    const bool with = account.hint == Hint::kRegion || account.hint == Hint::kLanguage ||
                      draw % 3 == 0 || tie == 0;
    if (with) add_post(id, at_us, true, tie);
    if (account.posting == Posting::kActive) {
      const std::int64_t from_us = std::max(at_us + 10 * kSecond, end_us_ - 88 * kDay);
      add_post(id, person_time(account, from_us, end_us_ - 60 * kSecond));
    } else if (!with) {
      add_post(id, person_time(account, at_us + 10 * kSecond, account.last_us));
    }
  }

  /// Moves and changes of status.
  void live(std::uint32_t id) {
    const Account& account = accounts_[id];
    const std::int64_t from_us = account.join_us + 60 * kSecond;
    const std::int64_t to_us = end_us_ - 60 * kSecond;
    if (from_us >= to_us) return;
    std::array<std::int64_t, 3> times = {random_.between(from_us, to_us),
                                         random_.between(from_us, to_us),
                                         random_.between(from_us, to_us)};
    std::sort(times.begin(), times.end());
    times[1] = std::max(times[1], times[0] + kSecond);
    times[2] = std::max(times[2], times[1] + kSecond);
    if (account.move != Move::kNone) {
      Entry& entry =
          add(id, times[0],
              account.hint == Hint::kAddress ? declared_anew_by(id) : declared_by(id));
      entry.hint = Hint::kAddress;
      entry.country = account.destination;
      if (account.move == Move::kForATime) add(id, times[1], withdrawn_by(id));
    }
    switch (account.fate) {
      case Fate::kNone:
        break;
      case Fate::kTakendownReturns:
        add(id, times[0], EntryKind::kTakendown);
        add(id, times[1], EntryKind::kActive);
        break;
      case Fate::kDeactivatedReturns:
        add(id, times[0], EntryKind::kDeactivated);
        add(id, times[1], EntryKind::kActive);
        break;
      case Fate::kSuspended:
        add(id, times[2], EntryKind::kSuspended);
        break;
      case Fate::kDeleted:
        add(id, times[2], EntryKind::kDeleted);
        break;
      case Fate::kDesynchronized:
        add(id, times[0], EntryKind::kDesynchronized);
        add(id, times[1], EntryKind::kActive);
        break;
      case Fate::kThrottled:
        add(id, times[0], EntryKind::kThrottled);
        add(id, times[2], EntryKind::kActive);
        break;
      case Fate::kTakendown:
        add(id, times[1], EntryKind::kTakendown);
        break;
      case Fate::kLeavesTwice:
        add(id, times[0], EntryKind::kDeactivated);
        add(id, times[1], EntryKind::kActive);
        add(id, times[2], EntryKind::kTakendown);
        break;
    }
  }

  void index_authors() {
    authors_.resize(countries_.size());
    for (std::uint32_t id = 0; id < accounts_.size(); ++id) {
      if (accounts_[id].posting != Posting::kNever) authors_[accounts_[id].country].push_back(id);
    }
    // Posts by country: the published shares, and the rest by active accounts.
    double published = 0;
    double active = 0;
    std::size_t longest = 0;
    for (std::size_t c = 0; c < countries_.size(); ++c) {
      longest = std::max(longest, authors_[c].size());
      published += authors_[c].empty() ? 0 : countries_[c].posts;
      if (countries_[c].posts == 0) active += static_cast<double>(authors_[c].size());
    }
    double sum = 0;
    for (std::size_t c = 0; c < countries_.size(); ++c) {
      if (!authors_[c].empty()) {
        sum += countries_[c].posts > 0
                   ? countries_[c].posts
                   : (100 - published) * static_cast<double>(authors_[c].size()) / active;
      }
      cumulated_posts_.push_back(sum);
    }
    if (sum <= 0) throw std::invalid_argument("--accounts: nobody of this world posts");
    // Zipf: the author of rank r writes in proportion to 1 / (r + 5).
    double zipf = 0;
    for (std::size_t rank = 0; rank < longest; ++rank) {
      zipf += 1.0 / (static_cast<double>(rank) + 5);
      zipf_.push_back(zipf);
    }
  }

  std::uint32_t author() {
    const double draw = random_.real() * cumulated_posts_.back();
    const auto country = std::upper_bound(cumulated_posts_.begin(), cumulated_posts_.end(), draw);
    const auto c =
        std::min(static_cast<std::size_t>(country - cumulated_posts_.begin()), authors_.size() - 1);
    const std::vector<std::uint32_t>& list = authors_[c].empty() ? authors_.front() : authors_[c];
    const auto last = zipf_.begin() + static_cast<std::ptrdiff_t>(list.size()) - 1;
    const double weight = random_.real() * *last;
    return list[static_cast<std::size_t>(std::upper_bound(zipf_.begin(), last, weight) -
                                         zipf_.begin())];
  }

  /// Something that happens on an ordinary day.
  void act() {
    const std::uint32_t id = author();
    const Account& account = accounts_[id];
    const std::int64_t at_us =
        person_time(account, account.join_us + 10 * kSecond, account.last_us);
    const std::uint64_t draw = random_.below(1000);
    if (draw < 540) {
      add_post(id, at_us);
      if (draw < 12 && entries_.size() < options_.events) add_post(id, at_us, false, 1);
      if (draw < 4 && entries_.size() < options_.events) add_post(id, at_us, false, 2);
    } else if (draw < 600) {
      add(id, at_us, EntryKind::kPostDelete);
    } else if (draw < 880) {
      Entry& entry = add(id, at_us, EntryKind::kLike);
      entry.ref_account = static_cast<std::uint32_t>(random_.below(accounts_.size()));
      entry.ref_us = at_us - random_.between(kSecond, kDay);
    } else if (draw < 905) {
      add(id, at_us, EntryKind::kLikeDelete);
    } else if (draw < 940) {
      Entry& entry = add(id, at_us, EntryKind::kRepost);
      entry.ref_account = static_cast<std::uint32_t>(random_.below(accounts_.size()));
      entry.ref_us = at_us - random_.between(kSecond, kDay);
    } else if (draw < 970) {
      add(id, at_us, EntryKind::kFollow).ref_account =
          static_cast<std::uint32_t>(random_.below(accounts_.size()));
    } else if (draw < 980) {
      add(id, at_us, EntryKind::kForeign);
    } else if (draw < 984) {
      add(id, at_us, EntryKind::kPostUpdate);
    } else if (draw < 992) {
      add(id, at_us, draw % 2 == 0 ? EntryKind::kIdentity : EntryKind::kHandle);
    } else {
      Entry& entry = add(id, at_us, EntryKind::kProfileUpdate);
      if (account.hint == Hint::kFlag) {  // the flag stays
        entry.hint = Hint::kFlag;
        entry.country = account.country;
      }
    }
  }

  /// A moment by the day's rhythm where the account lives; those of ZZ live anywhere.
  std::int64_t person_time(const Account& account, std::int64_t from_us, std::int64_t to_us) {
    std::int64_t at_us = random_.between(from_us, to_us);
    if (account.hint == Hint::kNone) return at_us;
    for (int tries = 0; tries < 8; ++tries) {
      const std::int64_t local_us = at_us + countries_[account.country].utc_offset_h * kHour;
      if (random_.real() < kRhythm[static_cast<std::size_t>(local_us / kHour % 24)]) break;
      at_us = random_.between(from_us, to_us);
    }
    return at_us;
  }

  /// Sorts by time and makes every time a different one.
  void order() {
    if (options_.guard_us > 0) {
      constexpr std::int64_t kMinute = 60 * kSecond;
      const std::int64_t open_us = kMinute - 2 * options_.guard_us;
      for (Entry& entry : entries_) {
        const std::int64_t within_us = entry.time_us % kMinute;
        entry.time_us += options_.guard_us + within_us * open_us / kMinute - within_us;
      }
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      if (a.time_us != b.time_us) return a.time_us < b.time_us;
      if (a.account != b.account) return a.account < b.account;
      if (a.tie != b.tie) return a.tie < b.tie;
      return a.kind < b.kind;
    });
    std::int64_t last_us = 0;
    for (Entry& entry : entries_) {
      entry.time_us = std::max(entry.time_us, last_us + 1);
      last_us = entry.time_us;
    }
  }

  /// Gives deletions their post, and silences those who are deleted.
  void settle() {
    std::vector<std::int64_t> last_post_us(accounts_.size());
    std::vector<std::int64_t> address_us(accounts_.size());
    std::vector<bool> deleted(accounts_.size());
    for (Entry& entry : entries_) {
      const std::uint32_t id = entry.account;
      if (deleted[id]) {
        // Keeps the number of events: somebody likes something instead.
        entry.account = heir(id, deleted);
        entry.kind = EntryKind::kLike;
        entry.ref_account = id;
        entry.ref_us = entry.time_us - kSecond;
        entry.hint = Hint::kNone;
        entry.tie = 0;
        continue;
      }
      switch (entry.kind) {
        case EntryKind::kPost:
        case EntryKind::kReply:
          last_post_us[id] = entry.time_us;
          break;
        case EntryKind::kPostDelete:
        case EntryKind::kPostUpdate:
          // Now and then of a post that was never seen here.
          entry.ref_us = last_post_us[id] != 0 ? last_post_us[id] : begin_us_ - kDay;
          if (entry.kind == EntryKind::kPostDelete) last_post_us[id] = 0;
          break;
        case EntryKind::kLikeDelete:
          entry.ref_us = entry.time_us - kHour;
          break;
        case EntryKind::kAddress:
          address_us[id] = entry.time_us;
          break;
        case EntryKind::kAddressUpdate:
        case EntryKind::kAddressDelete:
          entry.ref_us = address_us[id];
          break;
        case EntryKind::kDeleted:
          deleted[id] = true;
          break;
        default:
          break;
      }
    }
  }

  std::uint32_t heir(std::uint32_t id, const std::vector<bool>& deleted) const {
    auto other = id;
    for (std::size_t i = 0; i < accounts_.size() && deleted[other]; ++i) {
      other = static_cast<std::uint32_t>((other + 1) % accounts_.size());
    }
    return other;
  }

  const WorldOptions& options_;
  std::span<const CountryShare> countries_;
  Random random_;
  std::int64_t end_us_;
  std::int64_t begin_us_;
  std::vector<Account> accounts_;
  std::vector<Entry> entries_;
  std::vector<std::vector<std::uint32_t>> authors_;  // by country, in order of rank
  std::vector<double> cumulated_posts_;              // by country
  std::vector<double> zipf_;                         // cumulated, by rank
};

}  // namespace

World make_world(const WorldOptions& options) {
  check_options(options);
  if (options.name == "study-2012" && options.days < 190) {
    throw std::invalid_argument("--days: study-2012 begins before January: at least 190");
  }
  World world;
  world.countries = countries_of(options.name);
  if (options.events > 200'000'000) {
    throw std::invalid_argument(
        "--events: at most 200000000 in a world that is kept in memory "
        "(--world flood has no such limit)");
  }
  world.entries = Builder(options, world.countries).build();
  world.accounts = options.accounts;
  world.seed = options.seed;
  return world;
}

}  // namespace geotally::feedgen
