#include "feed/position.h"

#include <algorithm>
#include <utility>

namespace geotally::feed {
namespace {

constexpr std::int64_t kSampleEvery_us = 1'000'000;

// Servers read a cursor from here on as microseconds, below it as a sequence.
constexpr std::uint64_t kSequenceMax = 1'000'000'000'000'000;

// A cause is stored and is a metric label: only such words, so that parse() can insist.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Position::Position(PositionOptions options) : options_(options) {}

std::size_t Position::ring_size() const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(count_, kIdentities));
}

bool Position::in_ring(std::uint64_t identity) const {
  const auto end = ring_.begin() + static_cast<std::ptrdiff_t>(ring_size());
  return std::any_of(ring_.begin(), end,
                     [identity](const Seen& seen) { return seen.identity == identity; });
}

std::int64_t Position::time_us() const {
  std::int64_t newest = 0;
  for (std::size_t i = 0; i < ring_size(); ++i) newest = std::max(newest, ring_[i].time_us);
  return newest;
}

// The time that a resume counts its margin from. Not the newest: one event whose time is
// ahead of its neighbours would make us skip what lies between. The oldest of the ring
// cannot, unless the feed is so quiet that the ring reaches far back.
std::int64_t Position::reference_us() const {
  const std::int64_t newest = time_us();
  std::int64_t oldest = newest;
  for (std::size_t i = 0; i < ring_size(); ++i) oldest = std::min(oldest, ring_[i].time_us);
  return std::max(oldest, newest - kAheadMax_us);
}

void Position::observe(std::uint64_t identity, std::int64_t time_us, std::uint64_t sequence) {
  seen_us_ = time_us;
  if (first_us_ == 0) [[unlikely]]
    first_us_ = time_us;
  if (!caught_up_ && connected_ && time_us >= connected_at_us_) caught_up_ = true;
  if (unproved_ || !open_.empty()) [[unlikely]] {
    if (!settle(identity, time_us)) return;
  }
  if (!adopted_) [[unlikely]]
    adopt_host();
  ring_[count_ % kIdentities] = {identity, time_us};
  ++count_;
  ++fresh_;
  if (sequence == 0) return;
  sequence_ = sequence;
  const auto last = (sample_count_ - 1) % kSamples;
  if (sample_count_ == 0 || time_us - samples_[last].time_us >= kSampleEvery_us) {
    samples_[sample_count_ % kSamples] = {sequence, time_us};
    ++sample_count_;
  }
}

// Takes notice of an event while continuity is in doubt. False = it is from before the
// cursor and moves nothing.
bool Position::settle(std::uint64_t identity, std::int64_t time_us) {
  for (auto suspicion = open_.begin(); suspicion != open_.end();) {
    const auto known_end =
        suspicion->known.begin() + static_cast<std::ptrdiff_t>(suspicion->known_count);
    if (std::find(suspicion->known.begin(), known_end, identity) != known_end) {
      suspicion = open_.erase(suspicion);  // reordered, not missed
    } else if (time_us - suspicion->to_us >= options_.margin_us) {
      record(*suspicion);
      suspicion = open_.erase(suspicion);
    } else {
      ++suspicion;
    }
  }
  if (!unproved_) return true;
  if (in_ring(identity)) {
    unproved_ = false;
    cause_.clear();
    return false;
  }
  if (time_us <= newest_us_) return false;
  suspect(time_us);
  return true;
}

// The first new event came, and none of those that we know before it.
void Position::suspect(std::int64_t time_us) {
  if (open_.size() == kSuspicions) {
    record(open_.front());  // rather a gap too many than one forgotten
    open_.erase(open_.begin());
  }
  Suspicion& suspicion = open_.emplace_back();
  suspicion.from_us = newest_us_;
  suspicion.to_us = time_us;
  suspicion.cause = std::exchange(cause_, {});
  suspicion.known_count = ring_size();
  for (std::size_t i = 0; i < ring_size(); ++i) suspicion.known[i] = ring_[i].identity;
  unproved_ = false;
  // A server that forgot where we were may count anew: its old numbers say nothing now.
  sample_count_ = 0;
  sequence_ = 0;
}

void Position::record(const Suspicion& suspicion) {
  gaps_.push_back({suspicion.from_us, suspicion.to_us, suspicion.cause});
}

void Position::adopt_host() {
  adopted_ = true;
  if (host_ == connected_host_ && wire_ == connected_wire_) return;
  host_ = connected_host_;
  wire_ = connected_wire_;
  sample_count_ = 0;  // sequence numbers never cross hosts or wires
  sequence_ = 0;
}

void Position::disconnected(std::string_view cause) {
  connected_ = false;
  caught_up_ = false;
  adopted_ = true;
  if (count_ == 0 || unproved_) return;
  unproved_ = true;
  newest_us_ = time_us();
  cause_ = is_word(cause) ? cause : "unknown";
}

Resume Position::resume(std::string_view host, Wire wire) const {
  if (refused_ && host == refused_host_) {
    if (!floor_) return {};
    return {*floor_ < kSequenceMax ? Resume::Kind::kSequence : Resume::Kind::kTime, *floor_};
  }
  if (count_ == 0) {
    if (!options_.start_us) return {};
    return {Resume::Kind::kTime,
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, *options_.start_us))};
  }
  const std::int64_t from = std::max<std::int64_t>(0, reference_us() - options_.margin_us);
  if (wire == Wire::kJetstreamV2 && wire == wire_ && host == host_) {
    const std::uint64_t kept = std::min<std::uint64_t>(sample_count_, kSamples);
    for (std::uint64_t back = 1; back <= kept; ++back) {
      const Sample& sample = samples_[(sample_count_ - back) % kSamples];
      if (sample.time_us <= from) return {Resume::Kind::kSequence, sample.sequence};
    }
  }
  return {Resume::Kind::kTime, static_cast<std::uint64_t>(from)};
}

void Position::connected(std::string_view host, Wire wire, std::int64_t now_us) {
  // A connection that nobody reported as lost is one all the same.
  if (connected_) disconnected("unknown");
  entered_ = wire == Wire::kJetstreamV2 && resume(host, wire).kind != Resume::Kind::kSequence;
  first_us_ = 0;
  overlap_until_us_ = time_us();
  connected_host_ = host;
  connected_wire_ = wire;
  connected_at_us_ = now_us;
  connected_ = true;
  caught_up_ = false;
  adopted_ = false;
  fresh_ = 0;
  seen_us_ = 0;
  refused_ = false;
  floor_.reset();
}

void Position::refused(std::string_view host, std::optional<std::uint64_t> floor) {
  refused_ = true;
  refused_host_ = host;
  floor_ = floor;
  if (unproved_) cause_ = "cursor_too_old";
}

void Position::idle() {
  if (connected_ && !unproved_) caught_up_ = true;
}

std::vector<Gap> Position::take_gaps() { return std::exchange(gaps_, {}); }

std::vector<Gap> Position::suspicions() const {
  std::vector<Gap> open;
  for (const auto& one : open_) open.push_back({one.from_us, one.to_us, one.cause});
  return open;
}

}  // namespace geotally::feed
