#include "tally/fence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace geotally::tally {
namespace {

constexpr std::size_t kFirstNodes = 1'024;

// Whether what `older` says was overtaken by `newer`, of a larger revision.
bool outdoes(FenceTag newer, FenceTag older) {
  switch (older.topic()) {
    case FenceTopic::kOther:
      return false;
    case FenceTopic::kProfile:
      return newer.topic() == FenceTopic::kProfile;
    case FenceTopic::kAddress:
      return newer.topic() == FenceTopic::kAddress || (newer.topic() == FenceTopic::kAddressGone &&
                                                       newer.address_key() == older.address_key());
    case FenceTopic::kAddressGone:
      return newer.topic() == FenceTopic::kAddress;
  }
  return false;
}

}  // namespace

FenceTag::FenceTag(std::uint64_t discriminator, FenceTopic topic, std::uint16_t address_key) {
  constexpr std::uint64_t kTopicBits = 0x3;
  constexpr std::uint64_t kAddressBits = 0x3ffff;
  const bool address = topic == FenceTopic::kAddress || topic == FenceTopic::kAddressGone;
  value = discriminator & ~(address ? kAddressBits : kTopicBits);
  value |= static_cast<std::uint64_t>(topic);
  if (address) value |= static_cast<std::uint64_t>(address_key) << 2;
}

FencePool::FencePool() { nodes_.grow(kFirstNodes); }

FencePool::Admission FencePool::admit(FenceState& state, std::uint64_t revision, FenceTag tag,
                                      std::uint32_t time_s) {
  GEOTALLY_CHECK(revision > 0, "a record without a revision reached the fence");
  if (revision <= state.floor) return Admission::kReplayed;

  if (state.entries == 0) {
    state.newest = {revision, tag.value, time_s, 0};
    state.entries = 1;
    state.oldest_s = time_s;
    return Admission::kNew;
  }

  // The place to insert is before the first entry that is not newer.
  bool late = false;
  std::uint32_t before = 0;  // node behind which it goes; 0 = the newest, which is in none
  const FenceEntry* at = &state.newest;
  while (at != nullptr && at->revision > revision) {
    late = late || outdoes(FenceTag(at->tag), tag);
    before = at == &state.newest ? 0 : static_cast<std::uint32_t>(at - &nodes_[0]);
    at = next(*at);
  }
  for (const FenceEntry* same = at; same != nullptr && same->revision == revision;
       same = next(*same)) {
    if (same->tag == tag.value) return Admission::kReplayed;
  }

  state.oldest_s = std::min(state.oldest_s, time_s);
  const bool newest = at == &state.newest;
  const std::uint32_t node = take();
  if (newest) {
    nodes_[node] = state.newest;
    state.newest = {revision, tag.value, time_s, node};
  } else {
    FenceEntry& newer = before == 0 ? state.newest : nodes_[before];
    nodes_[node] = {revision, tag.value, time_s, newer.next};
    newer.next = node;
  }
  if (++state.entries >= 2 * kKept) {
    cut_after(state, kKept);
    ++overflows_;
  }
  return late ? Admission::kNewLate : Admission::kNew;
}

void FencePool::fetch(std::span<const FenceState* const> states) const {
  GEOTALLY_CHECK(states.size() <= kTogether, "more fences than are fetched together");
  std::array<const FenceEntry*, kTogether> at{};
  for (std::size_t i = 0; i < states.size(); ++i) at[i] = next(states[i]->newest);
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (at[i] == nullptr) continue;
      tally::fetch(at[i]);  // or the compiler would see that the walk has no effect
      at[i] = next(*at[i]);
      more = true;
    }
  }
}

bool FencePool::age(FenceState& state, std::uint32_t before_s) {
  if (state.entries == 0 || state.oldest_s >= before_s) return false;
  std::uint32_t kept = 0;
  std::uint32_t oldest_s = UINT32_MAX;
  for (const FenceEntry* at = &state.newest; at != nullptr; at = next(*at)) {
    // Newest first: the first aged entry raises the floor over all that follow.
    if (at->seen_s < before_s) {
      cut_after(state, kept);
      state.oldest_s = oldest_s;
      return true;
    }
    oldest_s = std::min(oldest_s, at->seen_s);
    ++kept;
  }
  state.oldest_s = oldest_s;
  return false;
}

void FencePool::raise_floor(FenceState& state, std::uint64_t floor) {
  if (floor <= state.floor) return;
  state.floor = floor;
  std::uint32_t kept = 0;
  const FenceEntry* at = state.entries == 0 ? nullptr : &state.newest;
  for (; at != nullptr && at->revision > floor; at = next(*at)) ++kept;
  if (at != nullptr) cut_after(state, kept);
}

void FencePool::release(FenceState& state) {
  give_back(state.newest.next);
  state.newest = {};
  state.entries = 0;
  state.oldest_s = 0;
}

void FencePool::copy(const FenceState& state, std::vector<FenceEntry>& out) const {
  if (state.entries == 0) return;
  for (const FenceEntry* at = &state.newest; at != nullptr; at = next(*at)) out.push_back(*at);
}

void FencePool::restore(FenceState& state, const std::vector<FenceEntry>& newest_first) {
  GEOTALLY_CHECK(state.entries == 0, "a fence is restored over another");
  state.oldest_s = UINT32_MAX;
  std::uint32_t before = 0;
  for (const FenceEntry& entry : newest_first) {
    state.oldest_s = std::min(state.oldest_s, entry.seen_s);
    const std::uint32_t node = state.entries++ == 0 ? 0 : take();
    FenceEntry& restored = node == 0 ? state.newest : nodes_[node];
    restored = entry;
    restored.next = 0;
    if (node != 0) (before == 0 ? state.newest : nodes_[before]).next = node;
    before = node;
  }
}

std::uint32_t FencePool::take() {
  ++used_;
  if (free_ != 0) {
    const std::uint32_t node = free_;
    free_ = nodes_[node].next;
    return node;
  }
  GEOTALLY_CHECK(made_ < UINT32_MAX, "fences have more entries than numbers");
  if (made_ == nodes_.size()) nodes_.grow(2 * nodes_.size());
  return made_++;
}

void FencePool::give_back(std::uint32_t first) {
  while (first != 0) {
    const std::uint32_t next = nodes_[first].next;
    nodes_[first].next = free_;
    free_ = first;
    first = next;
    --used_;
  }
}

// Keeps the `kept` newest entries; the floor rises to the newest of the others.
void FencePool::cut_after(FenceState& state, std::uint32_t kept) {
  GEOTALLY_CHECK(kept < state.entries, "a fence is cut behind its end");
  if (kept == 0) {
    state.floor = std::max(state.floor, state.newest.revision);
    give_back(state.newest.next);
    state.newest = {};
  } else {
    FenceEntry* last = &state.newest;
    for (std::uint32_t i = 1; i < kept; ++i) last = &nodes_[last->next];
    state.floor = std::max(state.floor, nodes_[last->next].revision);
    give_back(std::exchange(last->next, 0));
  }
  state.entries = kept;
  // Siblings of the new floor's revision that stayed are below the fence as well; they cost
  // a few bytes until they age and can never be asked for again.
}

}  // namespace geotally::tally
