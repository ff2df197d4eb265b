#include "pipeline/shard.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include <boost/sort/spreadsort/integer_sort.hpp>
#include <fmt/format.h>
#include <pthread.h>

namespace geotally::pipeline {
namespace {

// Accounts are met in no order, so that each would wait for memory several times: for its key, for
// itself, for its fence. A group of them waits together.
constexpr std::size_t kGroup = 16;
static_assert(kGroup <= tally::FencePool::kTogether);
// Threads that read the store after a start; what they read, the shard takes in much less time.
constexpr std::size_t kReaders = 2;
// Cold accounts of a batch from which on another thread reads half of them.
constexpr std::size_t kSharedReads = 32;
// So many parts are taken for a batch until all are there: the shard's work is better spent on them
// than on reading what samples ask for, but nobody waits for more than some tens of milliseconds.
constexpr std::size_t kPartsABatch = 64;
// The sweep looks at one part in so many of the table at each mark.
constexpr std::size_t kSweepParts = 32;
constexpr std::size_t kSweepSlotsMin = 4'096;
// Of a round of rewriting, a mark takes at least one part in so many, and so many accounts.
constexpr std::size_t kRewriteParts = 256;
constexpr std::size_t kRewriteMin = 1'024;
// Accounts that are dealt with at one mark when many are due on the same day.
constexpr std::size_t kEraseBatch = 2'000;
// After so many days no replay reaches what an erased account has done.
constexpr std::int64_t kFenceDays = tally::kTooOldSeconds / tally::kDaySeconds + 2;
constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;

// The three shares of a table. What has changed and is not committed cannot leave it, and the mark
// that lets it leave stands in the queue behind samples that need room. So all that can change
// before that mark must fit: a third until the mark is asked for, a third (or two batches) that
// was on its way by then, one batch more that the producer was filling, and what is erased at the
// mark itself. AccountTable's smallest size is chosen so that this adds up.
std::size_t changed_max(std::size_t limit) { return limit / 3; }
std::size_t batches_for(std::size_t limit) {
  return std::clamp<std::size_t>(limit / 3 / Batch::kSamples, 2, BatchQueue::kBatches);
}
// A slot takes memory twice: in the table, and its part of what is being committed. That is a third
// of what fits into the table, which is three quarters of its slots; a record, its places in two
// lists and its key take about so much.
constexpr std::size_t kChangeBytes = 120;
std::size_t slots_for(std::size_t bytes) {
  return bytes / (AccountTable::kSlotBytes + kChangeBytes / 4);
}
std::size_t erase_max(std::size_t limit) { return std::min(kEraseBatch, limit / 8); }

std::uint64_t span_of(const ShardOptions& options) {
  return options.last - options.first + 1;  // 0 = all keys
}

std::int64_t day_of(std::int64_t time_us) {
  return tally::bucket_of(tally::RowKind::kDay, time_us / tally::kMicrosPerSecond);
}

// A revision is a TID: microseconds since the epoch above so many bits (atproto.com/specs/tid).
constexpr unsigned kTidClockBits = 10;

// The day of a time that an account's own host gave; long ago when that lies more than a day
// ahead, which no sound clock does.
std::int64_t believed_day(std::int64_t time_us, std::int64_t watermark_us) {
  return time_us > watermark_us + kDay_us ? 0 : day_of(time_us);
}

// Each key once, and none both put and removed: a commit in sorted files takes nothing else.
void tidy_due(ShardChanges& changes) {
  const auto before = [](const store::Due& a, const store::Due& b) {
    return a.day != b.day ? a.day < b.day : a.key < b.key;
  };
  const auto same = [](const store::Due& a, const store::Due& b) {
    return a.day == b.day && a.key == b.key;
  };
  std::sort(changes.due.begin(), changes.due.end(), before);
  changes.due.erase(std::unique(changes.due.begin(), changes.due.end(), same), changes.due.end());
  std::erase_if(changes.due_done, [&](const store::Due& done) {
    return std::binary_search(changes.due.begin(), changes.due.end(), done, before);
  });
}

bool is_blank(const tally::AccountState& state, const geo::EvidenceState& evidence,
              std::uint64_t floor) {
  return state.fence.floor == floor && state.fence.entries == 0 && state.identity_time_us == 0 &&
         state.status_time_us == 0 && state.posts == 0 && state.flags == 0 &&
         evidence == geo::EvidenceState{};
}

}  // namespace

Shard::Shard(ShardOptions options, const store::Store& store, const geo::Resolver& resolver,
             metrics::Metrics& metrics, const std::atomic<std::uint64_t>& committed,
             const std::atomic<std::uint64_t>& rewriting, Deliver deliver)
    : options_(options),
      store_(store),
      resolver_(resolver),
      metrics_(metrics),
      committed_(committed),
      rewriting_(rewriting),
      deliver_(std::move(deliver)),
      queue_(batches_for(AccountTable::limit_for(slots_for(options.accounts_bytes)))),
      accounts_(options.first, span_of(options), slots_for(options.accounts_bytes)),
      cells_(std::make_unique<tally::Changes>()),
      next_mark_(store.last_commit().number + 1),
      watermark_us_(store.last_commit().watermark_us),
      complete_(store.last_commit().number == 0) {
  cells_->set_watermark(watermark_us_ / tally::kMicrosPerSecond);
}

Shard::~Shard() = default;

void Shard::start(std::function<void(std::exception_ptr)> failed) {
  thread_ = std::thread([this, failed = std::move(failed)] {
    ::pthread_setname_np(::pthread_self(), fmt::format("shard-{}", options_.number).c_str());
    try {
      run();
    } catch (...) {
      failed(std::current_exception());
    }
  });
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

void Shard::run() {
  if (!complete_) begin_warm_up();
  for (bool last = false; !last;) {
    for (std::size_t i = 0; reader_ && i < kPartsABatch; ++i) warm_up();
    Batch* batch = reader_ ? queue_.try_pop() : queue_.pop();
    if (batch == nullptr) continue;
    try {
      process(*batch);
      for (const tally::AccountKey key : batch->forget) forget(key);
      if (batch->mark) hand_over(batch->mark);
    } catch (const Abandoned&) {
      // What is on its way is taken from the queue all the same, or its producer would wait.
    }
    last = batch->last;
    queue_.give_back(batch);
  }
  reader_.reset();
  report();
}

// After a start the store's accounts are brought into memory in their order, in turns with the
// batches: reading one that a sample asks for takes some ten times as long.
void Shard::begin_warm_up() {
  const std::uint64_t found = store_.estimate_accounts(options_.first, options_.last);
  const std::uint64_t room = found + found / 8;  // it is an estimate, and new ones come
  if (room > accounts_.limit()) return;
  accounts_.reserve(room);
  reader_ = std::make_unique<AccountReader>(store_, options_.first, options_.last, found,
                                            fmt::format("read-{}", options_.number), kReaders);
}

// Takes some of what was read. Goes on until all are there, memory is nearly full, or the first
// account leaves it again: that one may have been read as it was before.
void Shard::warm_up() {
  if (!reader_->take(part_)) {
    complete_ = true;
    end_warm_up();
    return;
  }
  const std::size_t room = accounts_.limit() - accounts_.limit() / 8;
  for (std::size_t i = 0; i < part_.size; ++i) {
    if (accounts_.size() >= room) {
      end_warm_up();
      return;
    }
    const AccountReader::Account& account = part_.accounts[i];
    if (accounts_.find(account.key) != nullptr) continue;
    HotAccount& hot = blank(account.key);
    restore(hot, account.record);
    fences_.age(hot.state.fence, horizon_s());
    hot.referenced = 0;
  }
}

void Shard::end_warm_up() {
  reader_.reset();
  part_ = {};
}

void Shard::process(const Batch& batch) {
  if (abandoned_.load(std::memory_order_relaxed)) throw Abandoned();
  if (!complete_) warm(batch);
  const std::size_t size = batch.size();
  for (std::size_t begin = 0; begin < size; begin += kGroup) {
    const std::size_t end = std::min(begin + kGroup, size);
    for (std::size_t i = begin; i < end; ++i) accounts_.fetch_key(batch[i].account);
    for (std::size_t i = begin; i < end; ++i) accounts_.fetch(batch[i].account);
    // Loads overlap only when they are close together: first all places, then all loads.
    std::array<tally::Changes::LastPost, kGroup> cells{};
    for (std::size_t i = begin; i < end; ++i) {
      if (const HotAccount* hot = accounts_.find(batch[i].account)) {
        fences_.fetch(hot->state.fence);
        cells[i - begin] = cells_->find_last_post(hot->state.country, hot->state.last_post_s);
      }
    }
    for (const tally::Changes::LastPost& last : cells) {
      for (const tally::CellChange* cell : last) {
        if (cell != nullptr) tally::fetch(&cell->accounts);
      }
    }
    for (std::size_t i = begin; i < end; ++i) add(batch[i], batch);
  }
  // As much again may come from what is on its way. Events of many hours reach that long before
  // accounts do.
  if (cells_->bytes() > options_.cells_bytes / 2) {
    wants_mark_.store(true, std::memory_order_relaxed);
  }
  report();
}

void Shard::add(const tally::Sample& sample, const Batch& batch) {
  HotAccount& hot = account(sample.account);
  // So that the fence mostly stays within the account. Older records alone can wait for encode().
  if (hot.state.fence.newest.seen_s < horizon_s()) fences_.age(hot.state.fence, horizon_s());
  const tally::Admission admission = tally::admit(hot.state, fences_, sample);
  if (!admission.counted) {
    ++replayed_;
    return;
  }
  watermark_us_ = std::max(watermark_us_, sample.time_us);
  touch(sample.account, hot);
  tally::Placement placement{hot.state.country, hot.state.evidence, hot.state.confidence,
                             hot.state.city};
  if (locate(hot, sample, batch, admission, placement) &&
      placement.evidence != hot.state.evidence) {
    ++resolved_[static_cast<std::size_t>(placement.evidence)];
  }
  if (placement.country != hot.state.country && tally::standing_of(hot.state).counted) ++moved_;
  tally::count(hot.state, sample, placement, *cells_);
  if (sample.kind == EventKind::kAccount && sample.status == AccountStatus::kDeleted) {
    due_.push_back({day_of(sample.time_us) + options_.erase_deleted_days, sample.account});
  }
  ++counted_[static_cast<std::size_t>(sample.kind)];
}

// Weighs what the sample says of its account's country. True when `placement` was worked out anew.
bool Shard::locate(HotAccount& hot, const tally::Sample& sample, const Batch& batch,
                   const tally::Admission& admission, tally::Placement& placement) {
  geo::Evidence evidence;
  bool says_something = false;
  const Text* text = sample.text == tally::Sample::kNoText ? nullptr : &batch.text(sample.text);
  switch (sample.kind) {
    case EventKind::kPost:
      evidence.post = true;
      evidence.languages = {sample.languages.data(), sample.language_count};
      evidence.utc_offset_s = sample.utc_offset_s;
      evidence.utc_hour =
          static_cast<std::uint8_t>(sample.time_us / tally::kMicrosPerSecond / 3'600 % 24);
      if (text != nullptr) evidence.text = text->post;
      says_something = true;
      break;
    case EventKind::kProfile:
    case EventKind::kProfileDelete:
      evidence.profile = true;
      if (text != nullptr) {
        evidence.display_name = text->display_name;
        evidence.description = text->description;
        evidence.website = text->website;
      }
      says_something = admission.evidence;
      break;
    case EventKind::kIdentity:
      if (text != nullptr) evidence.handle = text->handle;
      says_something = admission.evidence && text != nullptr;
      break;
    default:
      break;
  }
  bool changed = says_something && resolver_.weigh(hot.evidence, evidence);
  if (admission.evidence) changed = tally::declare(hot.state, sample) || changed;
  if (!changed) return false;
  if (hot.state.declared.known()) {
    placement = {hot.state.declared, EvidenceKind::kExplicit, 255, 0};
  } else {
    const geo::Resolution resolution = resolver_.resolve(hot.evidence);
    placement = {resolution.country, resolution.evidence, resolution.confidence, 0};
  }
  placement.city = resolver_.city_in(hot.evidence, placement.country);
  return true;
}

// Reads the batch's accounts that are not in memory, together: what the store has to look through
// for one of them it looks through for all.
void Shard::warm(const Batch& batch) {
  const std::size_t size = batch.size();
  cold_.clear();
  for (std::size_t i = 0; i < size; ++i) {
    if (accounts_.find(batch[i].account) == nullptr) cold_.push_back(batch[i].account);
  }
  std::sort(cold_.begin(), cold_.end());
  cold_.erase(std::unique(cold_.begin(), cold_.end()), cold_.end());
  std::span<const tally::AccountKey> own(cold_);
  const bool shared = cold_.size() >= kSharedReads;
  if (shared) {
    if (!helper_) {
      helper_ = std::make_unique<AccountHelper>(store_, fmt::format("cold-{}", options_.number));
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

HotAccount& Shard::account(tally::AccountKey key) {
  if (HotAccount* hot = accounts_.find(key)) {
    hot->referenced = 1;
    return *hot;
  }
  const bool stored = !complete_ && store_.read_account(key, record_);
  HotAccount& hot = blank(key);
  if (stored) restore(hot, record_);
  return hot;
}

HotAccount& Shard::blank(tally::AccountKey key) {
  if (accounts_.full()) make_room();
  HotAccount& hot = accounts_.insert(key);
  hot.referenced = 1;
  hot.state.fence.floor = store_.base().floor;
  return hot;
}

void Shard::restore(HotAccount& hot, const store::AccountRecord& record) {
  hot.state = record.state;
  hot.evidence = record.evidence;
  fences_.restore(hot.state.fence, record.fence);
}

void Shard::touch(tally::AccountKey key, HotAccount& hot) {
  const auto mark = static_cast<std::uint32_t>(next_mark_) & HotAccount::kMarkBits;
  if (hot.changed == mark) return;
  hot.changed = mark & HotAccount::kMarkBits;
  changed_.push_back(key);
  if (changed_.size() > changed_max(accounts_.limit())) {
    wants_mark_.store(true, std::memory_order_relaxed);
  }
}

// Takes out accounts that were not met since the hand last came by and that are durable. What is
// not durable yet becomes so with the commit that is on its way: that is waited for.
void Shard::make_room() {
  constexpr std::size_t kRoom = 64;
  const std::size_t slots = accounts_.slots();
  if (hand_.slots() != slots) hand_ = Hand(slots);
  std::size_t looked_at = 0;
  for (std::size_t taken = 0; taken < kRoom;) {
    const std::size_t slot = hand_.next();
    HotAccount& hot = accounts_.slot(slot);
    if (accounts_.key(slot) == 0 || hot.referenced != 0) {
      hot.referenced = 0;
    } else if (evict(slot)) {
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

bool Shard::evict(std::size_t slot) {
  HotAccount& hot = accounts_.slot(slot);
  if (hot.changed_after(committed_.load(std::memory_order_acquire))) return false;
  fences_.release(hot.state.fence);
  accounts_.erase(slot);
  complete_ = false;
  end_warm_up();
  return true;
}

void Shard::hand_over(const std::shared_ptr<const Mark>& mark) {
  auto changes = std::make_unique<ShardChanges>();
  changes->mark = mark;
  erase_due(*mark, *changes);
  rewrite();
  changes->residency = complete_ ? Residency::kAll
                       : reader_ ? Residency::kLoading
                                 : Residency::kPart;
  changes->accounts_held = accounts_.size();
  changes->rewritten = rewritten_;
  boost::sort::spreadsort::integer_sort(changed_.begin(), changed_.end());
  changes->accounts.reserve(changed_.size());
  for (std::size_t begin = 0; begin < changed_.size(); begin += kGroup) {
    const std::size_t end = std::min(begin + kGroup, changed_.size());
    for (std::size_t i = begin; i < end; ++i) accounts_.fetch(changed_[i]);
    std::array<const tally::FenceState*, kGroup> fences{};
    for (std::size_t i = begin; i < end; ++i) {
      fences[i - begin] = &accounts_.find(changed_[i])->state.fence;
    }
    fences_.fetch(std::span(fences).first(end - begin));
    for (std::size_t i = begin; i < end; ++i) {
      encode(changed_[i], *accounts_.find(changed_[i]), *changes);
    }
  }
  changed_.clear();
  changes->cells = std::move(*cells_);
  changes->due.insert(changes->due.end(), due_.begin(), due_.end());
  due_.clear();
  tidy_due(*changes);
  cells_ = std::make_unique<tally::Changes>();
  cells_->set_watermark(mark->watermark_us / tally::kMicrosPerSecond);
  watermark_us_ = std::max(watermark_us_, mark->watermark_us);
  next_mark_ = mark->number + 1;
  wants_mark_.store(false, std::memory_order_relaxed);
  deliver_(std::move(changes));
  sweep();
}

// Takes accounts along that have not changed for long, while a round of rewriting goes on.
void Shard::rewrite() {
  const std::uint64_t round = rewriting_.load(std::memory_order_acquire);
  if (round != round_) {
    round_ = round;
    rewritten_until_ = options_.first;
  }
  if (round == 0 || rewritten_ == round || !complete_) return;
  // As many are looked at as have changed, so that the bound of changes is kept, and a round takes
  // as many commits as it takes to change all accounts, whatever their size.
  const std::size_t wanted =
      std::max({changed_.size(), accounts_.size() / kRewriteParts, kRewriteMin});
  const std::size_t most = changed_max(accounts_.limit());
  const std::size_t room = most - std::min(most, changed_.size());
  const bool more = accounts_.walk(rewritten_until_, std::min(wanted, room),
                                   [this, round](tally::AccountKey key, HotAccount& hot) {
                                     if (!hot.changed_after(round)) touch(key, hot);
                                   });
  if (!more) rewritten_ = round;
}

void Shard::encode(tally::AccountKey key, HotAccount& hot, ShardChanges& changes) {
  fences_.age(hot.state.fence, horizon_s());
  const std::size_t offset = changes.bytes.size();
  if (!is_blank(hot.state, hot.evidence, store_.base().floor)) {
    record_.state = hot.state;
    record_.evidence = hot.evidence;
    record_.fence.clear();
    fences_.copy(hot.state.fence, record_.fence);
    store::encode_account(record_, changes.bytes);
  }
  changes.accounts.push_back({key, offset, changes.bytes.size() - offset});
}

// As erase_due(), but at once and whatever its status: the fence stays for as long.
void Shard::forget(tally::AccountKey key) {
  HotAccount& hot = account(key);
  if (is_blank(hot.state, hot.evidence, store_.base().floor)) return;
  touch(key, hot);
  tally::erase(hot.state, fences_, *cells_);
  hot.evidence = {};
  due_.push_back({day_of(watermark_us_) + kFenceDays, key});
}

// Deleted accounts are erased when their time has come: first all but the fence, and that too
// when no replay can reach it any more. A list in the store says which to look at on which day.
// An entry whose account has done something since then is put off, not lost.
void Shard::erase_due(const Mark& mark, ShardChanges& changes) {
  const std::int64_t today = day_of(mark.watermark_us);
  if (mark.watermark_us == 0 || today <= erased_until_day_) return;
  const std::size_t limit = erase_max(accounts_.limit());
  const std::vector<store::Due> due = store_.due(today, options_.first, options_.last, limit);
  if (due.size() < limit) erased_until_day_ = today;
  for (const store::Due& entry : due) {
    changes.due_done.push_back(entry);
    HotAccount& hot = account(entry.key);
    tally::AccountState& state = hot.state;
    if (state.has(tally::AccountState::kDeleted)) {
      // Its host says when it was deleted, perhaps by a clock of its own: from the future it is
      // not believed.
      const std::int64_t deleted = believed_day(state.status_time_us, mark.watermark_us);
      if (deleted + options_.erase_deleted_days > today) {
        changes.due.push_back({deleted + options_.erase_deleted_days, entry.key});
        continue;
      }
      touch(entry.key, hot);
      tally::erase(state, fences_, *cells_);
      hot.evidence = {};
      changes.due.push_back({today + kFenceDays, entry.key});
    } else if (state.flags == 0 && state.posts == 0) {
      // Deletions of records may still have come, and must not count again either.
      record_.fence.clear();
      fences_.copy(state.fence, record_.fence);
      const std::uint64_t newest =
          record_.fence.empty() ? state.fence.floor : record_.fence.front().revision;
      const std::int64_t last =
          believed_day(static_cast<std::int64_t>(newest >> kTidClockBits), mark.watermark_us);
      if (last + kFenceDays > today) {
        changes.due.push_back({last + kFenceDays, entry.key});
        continue;
      }
      touch(entry.key, hot);
      fences_.release(state.fence);
      state = {};
      state.fence.floor = store_.base().floor;
    }
  }
}

// Records that were seen before need no entry of their own in a fence.
std::uint32_t Shard::horizon_s() const {
  const std::int64_t before_s = watermark_us_ / tally::kMicrosPerSecond - options_.fence_horizon_s;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(before_s, 0));
}

void Shard::sweep() {
  std::uint32_t before_s = horizon_s();
  std::size_t slots = std::max(accounts_.slots() / kSweepParts, kSweepSlotsMin);
  if (fences_.used() * sizeof(tally::FenceEntry) > options_.fence_bytes) {
    // More records within the horizon than there is memory for: younger ones go, and that shows.
    before_s = static_cast<std::uint32_t>(watermark_us_ / tally::kMicrosPerSecond);
    slots = accounts_.slots();
    ++overflows_;
  }
  slots = std::min(slots, accounts_.slots());
  for (std::size_t i = 0; i < slots; ++i) {
    if (swept_ >= accounts_.slots()) swept_ = 0;
    const std::size_t slot = swept_++;
    HotAccount& hot = accounts_.slot(slot);
    if (accounts_.key(slot) != 0 && hot.state.fence.entries != 0)
      fences_.age(hot.state.fence, before_s);
  }
}

void Shard::report() {
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    if (counted_[kind] != 0) metrics_.event(static_cast<EventKind>(kind), counted_[kind]);
  }
  if (replayed_ != 0) metrics_.dropped(Drop::kReplayed, replayed_);
  for (std::size_t kind = 0; kind < kEvidenceKinds; ++kind) {
    if (resolved_[kind] != 0) {
      metrics_.account_resolved(static_cast<EvidenceKind>(kind), resolved_[kind]);
    }
  }
  const std::uint64_t overflows = overflows_ + fences_.overflows();
  if (overflows != reported_overflows_) {
    metrics_.fence_overflow(overflows - reported_overflows_);
    reported_overflows_ = overflows;
  }
  counted_ = {};
  replayed_ = 0;
  if (moved_ != 0) metrics_.account_moved(moved_);
  resolved_ = {};
  moved_ = 0;
}

}  // namespace geotally::pipeline
