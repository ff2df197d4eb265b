#include "tally/fence.h"

#include <algorithm>
#include <cassert>

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
  assert(revision > 0);
  if (revision <= state.floor) return Admission::kReplayed;

  // The place to insert is before the first entry that is not newer.
  bool late = false;
  std::uint32_t before = 0;
  std::uint32_t at = state.newest;
  for (; at != 0 && nodes_[at].revision > revision; at = nodes_[at].next) {
    late = late || outdoes(FenceTag(nodes_[at].tag), tag);
    before = at;
  }
  for (std::uint32_t same = at; same != 0 && nodes_[same].revision == revision;
       same = nodes_[same].next) {
    if (nodes_[same].tag == tag.value) return Admission::kReplayed;
  }

  state.oldest_s = state.newest == 0 ? time_s : std::min(state.oldest_s, time_s);
  const std::uint32_t node = take();
  nodes_[node] = {revision, tag.value, time_s, at};
  (before == 0 ? state.newest : nodes_[before].next) = node;
  if (++state.entries >= 2 * kKept) {
    cut_after(state, kKept);
    ++overflows_;
  }
  return late ? Admission::kNewLate : Admission::kNew;
}

bool FencePool::age(FenceState& state, std::uint32_t before_s) {
  if (state.newest == 0 || state.oldest_s >= before_s) return false;
  std::uint32_t kept = 0;
  std::uint32_t oldest_s = UINT32_MAX;
  for (std::uint32_t at = state.newest; at != 0; at = nodes_[at].next) {
    // Newest first: the first aged entry raises the floor over all that follow.
    if (nodes_[at].seen_s < before_s) {
      cut_after(state, kept);
      state.oldest_s = oldest_s;
      return true;
    }
    oldest_s = std::min(oldest_s, nodes_[at].seen_s);
    ++kept;
  }
  state.oldest_s = oldest_s;
  return false;
}

void FencePool::release(FenceState& state) {
  give_back(state.newest);
  state.newest = 0;
  state.entries = 0;
  state.oldest_s = 0;
}

void FencePool::copy(const FenceState& state, std::vector<FenceEntry>& out) const {
  for (std::uint32_t at = state.newest; at != 0; at = nodes_[at].next) out.push_back(nodes_[at]);
}

void FencePool::restore(FenceState& state, const std::vector<FenceEntry>& newest_first) {
  assert(state.newest == 0 && state.entries == 0);
  state.oldest_s = UINT32_MAX;
  std::uint32_t before = 0;
  for (const FenceEntry& entry : newest_first) {
    const std::uint32_t node = take();
    nodes_[node] = entry;
    nodes_[node].next = 0;
    state.oldest_s = std::min(state.oldest_s, entry.seen_s);
    (before == 0 ? state.newest : nodes_[before].next) = node;
    before = node;
    ++state.entries;
  }
}

std::uint32_t FencePool::take() {
  ++used_;
  if (free_ != 0) {
    const std::uint32_t node = free_;
    free_ = nodes_[node].next;
    return node;
  }
  assert(made_ < UINT32_MAX);
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
  std::uint32_t before = 0;
  std::uint32_t at = state.newest;
  for (std::uint32_t i = 0; i < kept; ++i) {
    before = at;
    at = nodes_[at].next;
  }
  assert(at != 0);
  state.floor = std::max(state.floor, nodes_[at].revision);
  (before == 0 ? state.newest : nodes_[before].next) = 0;
  give_back(at);
  state.entries = kept;
  // Siblings of the new floor's revision that stayed are below the fence as well; they cost
  // a few bytes until they age and can never be asked for again.
}

}  // namespace geotally::tally
