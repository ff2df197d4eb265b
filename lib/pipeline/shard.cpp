#include "pipeline/shard.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <pthread.h>

#include "geo/domains.h"
#include "tally/order.h"

namespace geotally::pipeline {
namespace {

// Accounts are met in no order, so that each would wait for memory several times: for its key, for
// itself, for its fence. A group of them waits together.
constexpr std::size_t kGroup = 16;
// So many parts are taken for a batch until all are there: the shard's work is better spent on them
// than on reading what samples ask for, but nobody waits for more than some tens of milliseconds.
constexpr std::size_t kPartsABatch = 64;
// Accounts that are dealt with at one mark when many are due on the same day.
constexpr std::size_t kEraseBatch = 2'000;
// After so many days no replay reaches what an erased account has done.
constexpr std::int64_t kFenceDays = tally::kTooOldSeconds / tally::kDaySeconds + 2;
constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;

// A part of the accounts' memory makes the queue longer than it must be: while a shard hands over
// what has changed, a tenth of a second under a flood, the feed goes on.
constexpr std::size_t kQueueShare = 16;
std::size_t queue_bytes(std::size_t bytes) {
  constexpr std::size_t kMost = (BatchQueue::kBatches - BatchQueue::kBatchesMin) * Batch::kBytes;
  return std::min(kMost, bytes / kQueueShare);
}
// A slot takes memory three times: in the table, its part of what is being committed, and its part
// of the details. What is being committed is a third of what fits into the table, which is three
// quarters of its slots; a record, its place in a list and its key take about so much. Half of
// what fits may have details.
constexpr std::size_t kChangeBytes = 120;
std::size_t slots_for(std::size_t bytes) {
  return (bytes - queue_bytes(bytes)) /
         (AccountTable::kSlotBytes + kChangeBytes / 4 + tally::DetailPool::kBytes * 3 / 8);
}
// Not more than may be on its way to the table (changed_max() in accounts.cpp) and to the cells, of
// which each sample may need new ones: they have the second half of their bound.
std::size_t batches_for(const ShardOptions& options) {
  const std::size_t bytes = options.accounts_bytes;
  const std::size_t slots = slots_for(bytes);
  const std::size_t limit = std::min(AccountTable::limit_for(slots), Accounts::details_for(slots));
  const std::size_t cells = options.cells_bytes / 2 / tally::Changes::kPartBytes;
  return std::clamp<std::size_t>(
      std::min(BatchQueue::kBatchesMin + queue_bytes(bytes) / Batch::kBytes,
               cells / Batch::kSamples),
      2, limit / 3 / Batch::kSamples);
}
std::size_t erase_max(std::size_t limit) { return std::min(kEraseBatch, limit / 8); }

std::int64_t day_of(std::int64_t time_us) {
  return tally::bucket_of(tally::RowKind::kDay, time_us / tally::kMicrosPerSecond);
}

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

}  // namespace

Shard::Shard(ShardOptions options, const store::Store& store, const geo::Resolver& resolver,
             metrics::Metrics& metrics, const std::atomic<std::uint64_t>& committed,
             const std::atomic<std::uint64_t>& rewriting, Deliver deliver)
    : options_(std::move(options)),
      store_(store),
      resolver_(resolver),
      metrics_(metrics),
      rewriting_(rewriting),
      deliver_(std::move(deliver)),
      queue_(batches_for(options_)),
      accounts_({.shard = options_.number,
                 .first = options_.first,
                 .last = options_.last,
                 .slots = slots_for(options_.accounts_bytes),
                 .fence_bytes = options_.fence_bytes},
                store, committed, abandoned_),
      cells_(std::make_unique<tally::Changes>()),
      watermark_us_(store.last_commit().watermark_us),
      facts_{.archive = store.last_commit().archive.exists(),
             .observed_since_us = store.last_commit().observed_since_us} {
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
  accounts_.begin_warm_up();
  for (bool last = false; !last;) {
    for (std::size_t i = 0; accounts_.warming_up() && i < kPartsABatch; ++i) {
      accounts_.warm_up(horizon_s());
    }
    Batch* batch = accounts_.warming_up() ? queue_.try_pop() : queue_.pop();
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
  accounts_.end_warm_up();
  report();
}

void Shard::process(const Batch& batch) {
  if (abandoned_.load(std::memory_order_relaxed)) throw Abandoned();
  const std::span<const tally::Sample> samples = batch.samples();
  facts_.observed_since_us = batch.observed_since_us;
  accounts_.fetch_cold(samples);
  for (std::size_t begin = 0; begin < samples.size(); begin += kGroup) {
    const auto group = samples.subspan(begin, std::min(kGroup, samples.size() - begin));
    accounts_.fetch(group);
    fetch_cells(group);
    for (const tally::Sample& sample : group) add(sample, batch);
  }
  // As much again may come from what is on its way. Events of many hours reach that long before
  // accounts do.
  if (cells_->bytes() > options_.cells_bytes / 2) {
    wants_mark_.store(true, std::memory_order_relaxed);
  }
  report();
}

// The cells that the accounts move away from. Loads overlap only when they are close together:
// first all places, then all loads.
void Shard::fetch_cells(std::span<const tally::Sample> group) {
  std::array<tally::Changes::LastPost, kGroup> cells{};
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (const HotAccount* hot = accounts_.find(group[i].account)) {
      cells[i] = cells_->find_last_post(hot->state.country, hot->state.last_post_s);
    }
  }
  for (const tally::Changes::LastPost& last : cells) {
    for (const tally::CellChange* cell : last) {
      if (cell != nullptr) tally::fetch(&cell->accounts);
    }
  }
}

void Shard::add(const tally::Sample& sample, const Batch& batch) {
  HotAccount& hot = accounts_.get(sample.account);
  tally::AccountPools& pools = accounts_.pools();
  // So that the fence mostly stays within the account. Older records alone can wait for the commit.
  if (hot.state.fence.newest.seen_s < horizon_s()) pools.fences.age(hot.state.fence, horizon_s());
  // A telling moves with rows that do not count, too.
  const bool telling = hot.state.has(tally::AccountState::kTelling);
  const tally::Admission admission = tally::admit(hot.state, pools, sample, facts_);
  if (telling || hot.state.has(tally::AccountState::kTelling)) [[unlikely]]
    touch(hot);
  if (!admission.counted) {
    ++dropped_[static_cast<std::size_t>(admission.reason)];
    return;
  }
  watermark_us_ = std::max(watermark_us_, sample.time_us);
  touch(hot);
  if (admission.told) [[unlikely]] {
    tally::Sample told = sample;
    told.told = true;
    told.time_us = admission.time_us;
    add_counted(hot, told, batch, admission);
  } else {
    add_counted(hot, sample, batch, admission);
  }
}

void Shard::add_counted(HotAccount& hot, const tally::Sample& sample, const Batch& batch,
                        const tally::Admission& admission) {
  const bool bridged = hot.state.has(tally::AccountState::kBridged);
  tally::Placement placement{hot.state.country, hot.state.evidence, hot.state.confidence,
                             hot.state.city, bridged};
  if (locate(hot, sample, batch, admission, placement) &&
      placement.evidence != hot.state.evidence) {
    ++resolved_[static_cast<std::size_t>(placement.evidence)];
  }
  if (placement.country != hot.state.country && tally::standing_of(hot.state).counted) ++moved_;
  tally::count(hot.state, sample, placement, facts_, *cells_);
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
  // Nothing is learnt of an erased account by what is told of it.
  if (sample.told && hot.state.erased()) return false;
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
      if (text != nullptr) {
        evidence.handle = text->handle;
        if (admission.evidence) placement.bridged = geo::is_bridged(text->handle);
      }
      says_something = admission.evidence && text != nullptr;
      break;
    default:
      break;
  }
  bool changed = says_something && resolver_.weigh(hot.evidence, evidence);
  if (admission.evidence) changed = tally::declare(hot.state, sample) || changed;
  if (!changed) return false;
  if (hot.state.declared.known()) {
    placement = {hot.state.declared, EvidenceKind::kExplicit, 255, 0, placement.bridged};
  } else {
    const geo::Resolution resolution = resolver_.resolve(hot.evidence);
    placement = {resolution.country, resolution.evidence, resolution.confidence, 0,
                 placement.bridged};
  }
  placement.city = resolver_.city_in(hot.evidence, placement.country);
  return true;
}

void Shard::touch(HotAccount& hot) {
  accounts_.touch(hot);
  if (accounts_.crowded()) wants_mark_.store(true, std::memory_order_relaxed);
}

void Shard::hand_over(const std::shared_ptr<const Mark>& mark) {
  auto changes = std::make_unique<ShardChanges>();
  changes->mark = mark;
  erase_due(*mark, *changes);
  changes->rewritten = accounts_.rewrite(rewriting_.load(std::memory_order_acquire));
  changes->residency = accounts_.residency();
  changes->accounts_held = accounts_.size();
  changes->accounts = accounts_.take_changed(mark->number, horizon_s());
  changes->cells = std::move(*cells_);
  changes->due.insert(changes->due.end(), due_.begin(), due_.end());
  due_.clear();
  tidy_due(*changes);
  cells_ = std::make_unique<tally::Changes>();
  cells_->set_watermark(mark->watermark_us / tally::kMicrosPerSecond);
  watermark_us_ = std::max(watermark_us_, mark->watermark_us);
  wants_mark_.store(false, std::memory_order_relaxed);
  deliver_(std::move(changes));
  if (accounts_.sweep(horizon_s(),
                      static_cast<std::uint32_t>(watermark_us_ / tally::kMicrosPerSecond))) {
    ++overflows_;
  }
}

// As erase_due(), but at once and whatever its status: the fence stays for as long.
void Shard::forget(tally::AccountKey key) {
  HotAccount& hot = accounts_.get(key);
  if (accounts_.is_blank(hot)) return;
  touch(hot);
  tally::erase(hot.state, accounts_.pools(), *cells_);
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
    HotAccount& hot = accounts_.get(entry.key);
    tally::AccountState& state = hot.state;
    if (state.has(tally::AccountState::kDeleted) && !state.erased()) {
      // Its host says when it was deleted, perhaps by a clock of its own: from the future it is
      // not believed.
      const std::int64_t status_us = accounts_.pools().details.of(state).status_time_us;
      const std::int64_t deleted = believed_day(status_us, mark.watermark_us);
      if (deleted + options_.erase_deleted_days > today) {
        changes.due.push_back({deleted + options_.erase_deleted_days, entry.key});
        continue;
      }
      touch(hot);
      tally::erase(state, accounts_.pools(), *cells_);
      hot.evidence = {};
      changes.due.push_back({today + kFenceDays, entry.key});
    } else if (state.erased()) {
      // An archive may tell it again at any time: what keeps that from counting stays for ever.
      if (facts_.archive) continue;
      // Deletions of records may still have come, and must not count again either.
      const std::int64_t last =
          believed_day(tally::time_of(state.fence.newest_revision()), mark.watermark_us);
      if (last + kFenceDays > today) {
        changes.due.push_back({last + kFenceDays, entry.key});
        continue;
      }
      touch(hot);
      accounts_.forget(hot);
    }
  }
}

// Records that were seen before need no entry of their own in a fence.
std::uint32_t Shard::horizon_s() const {
  const std::int64_t before_s = watermark_us_ / tally::kMicrosPerSecond - options_.fence_horizon_s;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(before_s, 0));
}

void Shard::report() {
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    if (counted_[kind] != 0) metrics_.event(static_cast<EventKind>(kind), counted_[kind]);
  }
  for (std::size_t reason = 0; reason < kDrops; ++reason) {
    if (dropped_[reason] != 0) metrics_.dropped(static_cast<Drop>(reason), dropped_[reason]);
  }
  for (std::size_t kind = 0; kind < kEvidenceKinds; ++kind) {
    if (resolved_[kind] != 0) {
      metrics_.account_resolved(static_cast<EvidenceKind>(kind), resolved_[kind]);
    }
  }
  const std::uint64_t out_of_order = accounts_.pools().told_out_of_order;
  if (out_of_order != reported_out_of_order_) {
    if (options_.on_told_out_of_order) {
      options_.on_told_out_of_order(out_of_order - reported_out_of_order_);
    }
    reported_out_of_order_ = out_of_order;
  }
  const std::uint64_t overflows = overflows_ + accounts_.pools().fences.overflows();
  if (overflows != reported_overflows_) {
    metrics_.fence_overflow(overflows - reported_overflows_);
    reported_overflows_ = overflows;
  }
  counted_ = {};
  dropped_ = {};
  if (moved_ != 0) metrics_.account_moved(moved_);
  resolved_ = {};
  moved_ = 0;
}

}  // namespace geotally::pipeline
