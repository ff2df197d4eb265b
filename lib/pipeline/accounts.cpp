#include "pipeline/accounts.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"

namespace geotally::pipeline {
namespace {

// Threads that read the store after a start; what they read, the shard takes in much less time.
constexpr std::size_t kReaders = 2;
// Cold accounts of a batch from which on another thread reads half of them.
constexpr std::size_t kSharedReads = 32;
// The sweep looks at one part in so many of the table at each mark.
constexpr std::size_t kSweepParts = 32;
constexpr std::size_t kSweepSlotsMin = 4'096;
// Of a round of rewriting, a mark looks at one part in so many, and so many accounts, at least.
constexpr std::size_t kRewriteParts = 256;
constexpr std::size_t kRewriteMin = 1'024;

// What has changed and is not committed cannot leave the table, and the mark that lets it leave
// stands in the queue behind samples that need room. So all that can change before that mark must
// fit: a third until the mark is asked for; what was on its way by then (shard.cpp, batches_for());
// one batch more that the producer was filling; and what is erased at the mark itself.
// AccountTable's smallest size is chosen so that this adds up. The same holds of accounts with
// details among them.
std::size_t changed_max(std::size_t limit) { return limit / 3; }
// One account in so many may have details, and all of the smallest table.
constexpr std::size_t kAccountsADetail = 2;

std::uint64_t span_of(const AccountsOptions& options) {
  return options.last - options.first + 1;  // 0 = all keys
}

}  // namespace

Accounts::Accounts(const AccountsOptions& options, const store::Store& store,
                   const std::atomic<std::uint64_t>& committed, const std::atomic<bool>& abandoned)
    : options_(options),
      store_(store),
      committed_(committed),
      abandoned_(abandoned),
      base_floor_(store.base().floor),
      details_max_(details_for(options.slots)),
      table_(options.first, span_of(options), options.slots),
      complete_(store.last_commit().number == 0),
      next_mark_(store.last_commit().number + 1),
      short_mark_(HotAccount::short_mark(next_mark_)) {}

Accounts::~Accounts() = default;

std::size_t Accounts::details_for(std::size_t slots) {
  return std::max(AccountTable::limit_for(slots) / kAccountsADetail, AccountTable::limit_for(0));
}

// Reading an account that a sample asks for takes some ten times as long.
void Accounts::begin_warm_up() {
  if (complete_) return;
  const std::uint64_t found = store_.estimate_accounts(options_.first, options_.last);
  const std::uint64_t room = found + found / 8;  // it is an estimate, and new ones come
  if (room > limit()) return;
  table_.reserve(room);
  reader_ = std::make_unique<AccountReader>(store_, options_.first, options_.last, found,
                                            fmt::format("read-{}", options_.shard), kReaders);
}

// Goes on until all are there, memory is nearly full, or the first account leaves it again: that
// one may have been read as it was before.
void Accounts::warm_up(std::uint32_t horizon_s) {
  if (!reader_->take(part_)) {
    complete_ = true;
    end_warm_up();
    return;
  }
  const std::size_t room = limit() - limit() / 8;
  for (std::size_t i = 0; i < part_.size; ++i) {
    if (size() >= room || pools_.details.used() >= details_max_ / 8 * 7) {
      end_warm_up();
      return;
    }
    const AccountReader::Account& account = part_.accounts[i];
    if (find(account.key) != nullptr) continue;
    HotAccount& hot = blank(account.key);
    restore(hot, account.record);
    pools_.fences.age(hot.state.fence, horizon_s);
    hot.referenced = 0;
  }
}

void Accounts::end_warm_up() {
  reader_.reset();
  part_ = {};
}

void Accounts::fetch_cold(std::span<const tally::Sample> samples) {
  if (complete_) return;
  cold_.clear();
  for (const tally::Sample& sample : samples) {
    if (find(sample.account) == nullptr) cold_.push_back(sample.account);
  }
  std::sort(cold_.begin(), cold_.end());
  cold_.erase(std::unique(cold_.begin(), cold_.end()), cold_.end());
  std::span<const tally::AccountKey> own(cold_);
  const bool shared = cold_.size() >= kSharedReads;
  if (shared) {
    if (!helper_) {
      helper_ = std::make_unique<AccountHelper>(store_, fmt::format("cold-{}", options_.shard));
    }
    helper_->ask(own.first(own.size() / 2));
    own = own.subspan(own.size() / 2);
  }
  store_.read_accounts(own, [this](tally::AccountKey key, const store::AccountRecord* record) {
    HotAccount& hot = blank(key);
    if (record != nullptr) restore(hot, *record);
  });
  if (!shared) return;
  for (const AccountHelper::Account& account : helper_->answer()) {
    HotAccount& hot = blank(account.key);
    if (account.found) restore(hot, account.record);
  }
}

void Accounts::fetch(std::span<const tally::Sample> samples) {
  for (const tally::Sample& sample : samples) table_.fetch_key(sample.account);
  for (const tally::Sample& sample : samples) table_.fetch(sample.account);
  for (const tally::Sample& sample : samples) {
    if (const HotAccount* hot = find(sample.account)) pools_.fences.fetch(hot->state.fence);
  }
}

HotAccount& Accounts::get(tally::AccountKey key) {
  if (details_full()) [[unlikely]]
    make_room();
  if (HotAccount* hot = find(key)) {
    hot->referenced = 1;
    return *hot;
  }
  const bool stored = !complete_ && store_.read_account(key, record_);
  HotAccount& hot = blank(key);
  if (stored) restore(hot, record_);
  return hot;
}

HotAccount& Accounts::blank(tally::AccountKey key) {
  if (full()) make_room();
  HotAccount& hot = table_.insert(key);
  hot.referenced = 1;
  hot.state = tally::unknown_account(base_floor_);
  return hot;
}

void Accounts::restore(HotAccount& hot, const store::AccountRecord& record) {
  hot.state = record.state;
  pools_.details.put(hot.state, record.details);
  hot.evidence = record.evidence;
  pools_.fences.restore(hot.state.fence, record.fence);
}

Residency Accounts::residency() const {
  return complete_ ? Residency::kAll : reader_ ? Residency::kLoading : Residency::kPart;
}

bool Accounts::is_blank(const HotAccount& hot) const {
  const tally::AccountState& state = hot.state;
  const tally::AccountState unknown = tally::unknown_account(base_floor_);
  return state.fence.floor == unknown.fence.floor && state.fence.entries == 0 &&
         state.newest_key == unknown.newest_key && state.flags == unknown.flags &&
         state.details == 0 && state.posts == 0 && state.profile_revision == 0 &&
         hot.evidence == geo::EvidenceState{};
}

void Accounts::forget(HotAccount& hot) {
  pools_.fences.release(hot.state.fence);
  pools_.details.release(hot.state);
  hot.state = tally::unknown_account(base_floor_);
  hot.evidence = {};
}

// Takes out accounts that were not met since the hand last came by and that are durable. What is
// not durable yet becomes so with the commit that is on its way: that is waited for.
void Accounts::make_room() {
  constexpr std::size_t kRoom = 64;
  const std::size_t slots = table_.slots();
  if (hand_.slots() != slots) hand_ = Hand(slots);
  const bool details_only = !table_.full();
  std::size_t looked_at = 0;
  for (std::size_t taken = 0; taken < kRoom;) {
    const std::size_t slot = hand_.next();
    HotAccount& hot = table_.slot(slot);
    if (table_.key(slot) == 0 || hot.referenced != 0) {
      hot.referenced = 0;
    } else if ((!details_only || hot.state.details != 0) && evict(slot)) {
      ++taken;
    }
    if (++looked_at > 2 * slots) {
      if (taken > 0) return;
      looked_at = 0;
      if (abandoned_.load(std::memory_order_relaxed)) throw Abandoned();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

bool Accounts::evict(std::size_t slot) {
  HotAccount& hot = table_.slot(slot);
  if (hot.changed_after(committed_.load(std::memory_order_acquire))) return false;
  pools_.fences.release(hot.state.fence);
  pools_.details.release(hot.state);
  table_.erase(slot);
  complete_ = false;
  end_warm_up();
  return true;
}

void Accounts::touch(HotAccount& hot) {
  if (hot.changed == short_mark_) return;
  hot.changed = short_mark_ & HotAccount::kMarks;
  table_.set_changed(hot);
  ++changed_;
  if (hot.state.details != 0) ++changed_details_;
}

bool Accounts::crowded() const {
  const std::size_t details = changed_details_ + (pools_.details.made() - details_made_);
  return changed_ > changed_max(limit()) || details > changed_max(details_max_);
}

std::uint64_t Accounts::rewrite(std::uint64_t round) {
  if (round != round_) {
    round_ = round;
    rewritten_until_ = options_.first;
  }
  if (round == 0 || rewritten_ == round || !complete_) return rewritten_;
  // As many are looked at as have changed, so that a round takes as many commits as it takes to
  // change all accounts, whatever their size; but no more than the bound of changes leaves room
  // for.
  const std::size_t wanted = std::max({changed_, size() / kRewriteParts, kRewriteMin});
  const std::size_t room = changed_max(limit()) - std::min(changed_max(limit()), changed_);
  const bool more = table_.walk(rewritten_until_, std::min(wanted, room),
                                [this, round](tally::AccountKey /*key*/, HotAccount& hot) {
                                  if (!hot.changed_after(round)) touch(hot);
                                });
  if (!more) rewritten_ = round;
  return rewritten_;
}

std::vector<store::AccountChange> Accounts::take_changed(std::uint64_t number,
                                                         std::uint32_t horizon_s) {
  GEOTALLY_CHECK(committed_.load(std::memory_order_acquire) + 1 >= number,
                 "two commits are on their way");
  bytes_.begin(changed_);
  table_.take_changed([&](std::span<const std::size_t> slots) {
    static_assert(AccountTable::kTogether <= tally::FencePool::kTogether);
    for (const std::size_t slot : slots) table_.fetch_slot(slot);
    std::array<const tally::FenceState*, AccountTable::kTogether> fences{};
    for (std::size_t i = 0; i < slots.size(); ++i) fences[i] = &table_.slot(slots[i]).state.fence;
    pools_.fences.fetch(std::span(fences).first(slots.size()));
    for (const std::size_t slot : slots) encode(table_.key(slot), table_.slot(slot), horizon_s);
  });
  changed_ = 0;
  changed_details_ = 0;
  details_made_ = pools_.details.made();
  next_mark_ = number + 1;
  short_mark_ = HotAccount::short_mark(next_mark_);
  return bytes_.take();
}

void Accounts::encode(tally::AccountKey key, HotAccount& hot, std::uint32_t horizon_s) {
  pools_.fences.age(hot.state.fence, horizon_s);
  if (is_blank(hot)) {
    bytes_.add_forgotten(key);
    return;
  }
  fence_.clear();
  pools_.fences.copy(hot.state.fence, fence_);
  bytes_.add(key, hot.state, pools_.details.of(hot.state), hot.evidence, fence_);
}

bool Accounts::sweep(std::uint32_t horizon_s, std::uint32_t watermark_s) {
  std::size_t slots = std::max(table_.slots() / kSweepParts, kSweepSlotsMin);
  const bool overfull = pools_.fences.used() * sizeof(tally::FenceEntry) > options_.fence_bytes;
  if (overfull) {
    horizon_s = watermark_s;
    slots = table_.slots();
  }
  slots = std::min(slots, table_.slots());
  for (std::size_t i = 0; i < slots; ++i) {
    if (swept_ >= table_.slots()) swept_ = 0;
    const std::size_t slot = swept_++;
    HotAccount& hot = table_.slot(slot);
    hot.forget_old_change(next_mark_);
    if (table_.key(slot) != 0 && hot.state.fence.entries != 0) {
      pools_.fences.age(hot.state.fence, horizon_s);
    }
  }
  return overfull;
}

}  // namespace geotally::pipeline
