#include "pipeline/ingest.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <thread>
#include <utility>

#include "tally/windows.h"

namespace geotally::pipeline {
namespace {

constexpr std::uint64_t kFramesPerClock = 256;
constexpr std::chrono::microseconds kNap{200};
constexpr std::int64_t kDay_us = tally::kDaySeconds * tally::kMicrosPerSecond;
// On a silent feed a day is closed by the clock, so much later: the last events before midnight
// are still on their way then. Silence is measured tick by tick and not by the clock's reading, and
// a day must have been lived through, from the newest event on: a clock that is set forward, or was
// ahead from the start, must not close days that the feed is still in. What is closed is never
// closed again.
constexpr std::int64_t kCloseSilentDayAfter_us = 60'000'000;
constexpr std::int64_t kTickMax_us = 10'000'000;
// Closing rows are held in memory until their mark is committed.
constexpr std::size_t kDaysPerMark = 100;

}  // namespace

Ingest::Ingest(IngestOptions options, const store::CommitRecord& last, feed::Dialect& dialect,
               feed::Position& position, std::vector<Shard*> shards,
               const std::atomic<std::uint64_t>& committed, metrics::Metrics& metrics,
               log::Logger& log)
    : options_(std::move(options)),
      dialect_(dialect),
      position_(position),
      shards_(std::move(shards)),
      committed_(committed),
      metrics_(metrics),
      log_(log),
      horizon_(options_.clock, last.watermark_us),
      current_(shards_.size()),
      wall_us_(options_.now_us()),
      observed_since_us_(last.observed_since_us),
      next_day_to_close_(last.next_day_to_close),
      last_mark_(last.number),
      last_mark_at_us_(wall_us_),
      last_tick_us_(wall_us_),
      lived_until_us_(last.watermark_us) {}

Ingest::~Ingest() = default;

void Ingest::frame(feed::Frame frame) {
  if (frames_until_clock_-- == 0) {
    wall_us_ = options_.now_us();
    frames_until_clock_ = kFramesPerClock - 1;
  }
  switch (dialect_.decode(frame, event_)) {
    case Verdict::kEvent:
      take(event_, true);
      break;
    case Verdict::kUncounted:
      take(event_, false);
      break;
    case Verdict::kNotice:
      noticed();
      break;
    case Verdict::kRejected:
      rejected(dialect_.rejection());
      break;
  }
}

void Ingest::rejected(Rejection reason) { ++rejected_[static_cast<std::size_t>(reason)]; }

void Ingest::noticed() {
  ++notices_[static_cast<std::size_t>(dialect_.notice_kind())];
  log_.write(log::Event::kFeedNotice,
             {{"host", position_.connected_host()}, {"name", dialect_.notice()}});
}

void Ingest::ignored(std::uint16_t fields) {
  for (; fields != 0; fields &= static_cast<std::uint16_t>(fields - 1)) {
    ++ignored_[static_cast<std::size_t>(std::countr_zero(fields))];
  }
}

void Ingest::connected(bool connected) {
  connected_ = connected;
  reopening_ = false;
}

void Ingest::take(const Event& event, bool counts) {
  if (reopening_) {
    ++dropped_[static_cast<std::size_t>(Drop::kReopening)];
    return;
  }
  const tally::AccountKey account = account_key(event.did, options_.seed);
  const std::int64_t day = event.time_us / kDay_us;
  if (next_day_to_close_ != 0 && day > next_day_to_close_ &&
      horizon_.would_believe(event.time_us, wall_us_)) {
    close_days_until(day);  // before anything of the new day is counted
  }
  switch (horizon_.judge(account, event.time_us, wall_us_)) {
    case Horizon::Judgement::kGood:
      break;
    case Horizon::Judgement::kTooOld:
      ++dropped_[static_cast<std::size_t>(Drop::kTooOld)];
      position_.observe(event);
      return;
    case Horizon::Judgement::kFuture:
      log_.write(log::Event::kFeedFutureEvent,
                 {{"ahead_s", (event.time_us - std::max(wall_us_, horizon_.watermark_us())) /
                                  tally::kMicrosPerSecond}});
      return;
    case Horizon::Judgement::kConfirmed:
      reopening_ = true;
      options_.reopen();
      return;
  }
  // Of the event, never of the wall clock: that one may be days behind, as two witnesses have just
  // said or as nobody has noticed yet, and the store would claim for ever what it never observed.
  if (observed_since_us_ == 0) observed_since_us_ = event.time_us;
  if (next_day_to_close_ == 0) next_day_to_close_ = day;
  silent_us_ = 0;
  lived_until_us_ = std::max(lived_until_us_, event.time_us);
  ++events_;
  delays_.add(wall_us_ - event.time_us);
  if (counts) {
    route(event, account);
  } else {
    ++dropped_[static_cast<std::size_t>(Drop::kUncounted)];
  }
  // Last: a mark that route() had to send must not say that this event is in it.
  position_.observe(event);
}

void Ingest::route(const Event& event, tally::AccountKey account) {
  const std::size_t shard = owner_of(partition_of(account), shards_.size());
  Text text;
  const bool has_text = texts_.text_of(event, account, text);
  Batch* to = &batch(shard);
  std::uint16_t place = tally::Sample::kNoText;
  if (has_text) {
    place = to->add_text(text);
    if (place == tally::Sample::kNoText) {
      push(shard);
      to = &batch(shard);
      place = to->add_text(text);
    }
  }
  tally::Sample& sample = to->add();
  to_sample(event, sample);
  sample.account = account;
  sample.text = place;
  sample.entered = position_.entered(event.time_us);
  sample.overlap = position_.overlaps(event.time_us);
  if (event.ignored != 0) ignored(event.ignored);
  if (!event.country.empty() && !sample.country.known()) {
    ++ignored_[static_cast<std::size_t>(EventField::kCountry)];
  }
  if (to->full()) push(shard);
}

template <typename Done>
void Ingest::nap_until(Done done) {
  while (!done()) {
    if (options_.alive) options_.alive();
    frames_until_clock_ = 0;
    std::this_thread::sleep_for(kNap);
  }
}

Batch& Ingest::batch(std::size_t shard) {
  Batch*& current = current_[shard];
  if (current == nullptr) {
    BatchQueue& queue = shards_[shard]->queue();
    nap_until([&] { return (current = queue.try_take()) != nullptr; });
  }
  return *current;
}

void Ingest::hand_over(std::size_t shard) {
  Batch* const full = std::exchange(current_[shard], nullptr);
  full->observed_since_us = observed_since_us_;
  shards_[shard]->queue().push(full);
}

void Ingest::push(std::size_t shard) {
  if (current_[shard] == nullptr) return;
  hand_over(shard);
  if (shards_[shard]->wants_mark()) relieve();
}

std::uint64_t Ingest::forget(std::string_view did) {
  const tally::AccountKey account = account_key(did, options_.seed);
  const std::size_t shard = owner_of(partition_of(account), shards_.size());
  batch(shard).forget.push_back(account);
  const std::uint64_t durable_with = last_mark_ + 1;
  push(shard);
  return durable_with;
}

// Too much has changed since the last mark: the next one goes out before anything else does.
void Ingest::relieve() {
  wait_for_commit();
  for (const Shard* shard : shards_) {
    if (shard->wants_mark()) {
      send_mark({});
      return;
    }
  }
}

void Ingest::wait_for_commit() {
  nap_until([&] { return committed_.load(std::memory_order_acquire) >= last_mark_; });
}

void Ingest::close_days_until(std::int64_t day) {
  while (next_day_to_close_ < day) {
    std::vector<std::int64_t> closed;
    while (next_day_to_close_ < day && closed.size() < kDaysPerMark) {
      closed.push_back(next_day_to_close_++);
    }
    wait_for_commit();
    send_mark(std::move(closed));
  }
}

// What was read stays with its batch until that is full or the next mark goes out: when every
// message comes in a segment of its own, waking a shard for each would cost more than all the rest.
void Ingest::drained() {
  wall_us_ = options_.now_us();
  frames_until_clock_ = 0;
  report();
  tick();
}

void Ingest::tick() {
  wall_us_ = options_.now_us();
  const std::int64_t passed_us = std::clamp<std::int64_t>(wall_us_ - last_tick_us_, 0, kTickMax_us);
  silent_us_ += passed_us;
  lived_until_us_ += passed_us;
  last_tick_us_ = wall_us_;
  if (options_.alive) options_.alive();
  if (wall_us_ - last_mark_at_us_ < options_.commit_interval_us && wall_us_ >= last_mark_at_us_) {
    return;
  }
  if (committed_.load(std::memory_order_acquire) < last_mark_) return;
  report();
  std::vector<std::int64_t> closed;
  if (connected_ && position_.caught_up() && next_day_to_close_ != 0 &&
      silent_us_ >= kCloseSilentDayAfter_us) {
    const std::int64_t now_us = std::min(horizon_.edge_us(wall_us_), lived_until_us_);
    const std::int64_t day = (now_us - kCloseSilentDayAfter_us) / kDay_us;
    while (next_day_to_close_ < day && closed.size() < kDaysPerMark) {
      closed.push_back(next_day_to_close_++);
    }
  }
  send_mark(std::move(closed));
}

void Ingest::send_mark(std::vector<std::int64_t> days_closed) {
  auto mark = std::make_shared<Mark>();
  mark->number = ++last_mark_;
  mark->watermark_us = horizon_.watermark_us();
  mark->edge_us = horizon_.edge_us(wall_us_);
  mark->observed_since_us = observed_since_us_;
  mark->ingested_until_us =
      connected_ && position_.caught_up() ? mark->edge_us : mark->watermark_us;
  mark->next_day_to_close = next_day_to_close_;
  mark->days_closed = std::move(days_closed);
  mark->gaps = position_.take_gaps();
  mark->suspicions = position_.suspicions();
  mark->cursor = position_.serialize();
  mark->cursor_time_us = position_.time_us();
  for (const Gap& gap : mark->gaps) {
    log_.write(log::Event::kFeedGap,
               {{"from_us", gap.from_us},
                {"to_us", gap.to_us},
                {"seconds", static_cast<double>(gap.to_us - gap.from_us) / 1e6},
                {"cause", gap.cause}});
  }
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    batch(shard).mark = mark;
    hand_over(shard);
  }
  last_mark_at_us_ = wall_us_;
}

void Ingest::finish() {
  const auto stuck = [&] { return options_.stuck && options_.stuck(); };
  const auto committed = [&] { return committed_.load(std::memory_order_acquire) >= last_mark_; };
  nap_until([&] { return committed() || stuck(); });
  wall_us_ = options_.now_us();
  if (committed()) {
    send_mark({});
  } else {
    for (Shard* shard : shards_) shard->abandon();
  }
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    batch(shard).last = true;
    hand_over(shard);
  }
  horizon_.give_up();
  report();
}

void Ingest::report() {
  for (std::size_t i = 0; i < kRejections; ++i) {
    if (rejected_[i] == 0) continue;
    const auto reason = static_cast<Rejection>(i);
    metrics_.rejected(reason, rejected_[i]);
    log_.write(log::Event::kFeedRejected,
               {{"reason", to_string(reason)}, {"events", rejected_[i]}});
  }
  dropped_[static_cast<std::size_t>(Drop::kFuture)] += horizon_.take_unconfirmed();
  dropped_[static_cast<std::size_t>(Drop::kReopening)] += horizon_.take_confirmed();
  for (std::size_t i = 0; i < kDrops; ++i) {
    if (dropped_[i] != 0) metrics_.dropped(static_cast<Drop>(i), dropped_[i]);
  }
  for (std::size_t i = 0; i < kNotices; ++i) {
    if (notices_[i] != 0) metrics_.feed_notice(static_cast<Notice>(i), notices_[i]);
  }
  for (std::size_t i = 0; i < kEventFields; ++i) {
    if (ignored_[i] != 0) metrics_.field_ignored(static_cast<EventField>(i), ignored_[i]);
  }
  if (events_ != 0) {
    metrics_.feed_last_event(horizon_.watermark_us());
    metrics_.event_delays(delays_);
    delays_.clear();
  }
  std::size_t queued = 0;
  std::size_t capacity = 0;
  for (Shard* shard : shards_) {
    queued += shard->queue().samples();
    capacity += shard->queue().capacity();
  }
  metrics_.ingest_queue(queued, capacity);
  rejected_ = {};
  dropped_ = {};
  notices_ = {};
  ignored_ = {};
  events_ = 0;
}

}  // namespace geotally::pipeline
