// The fence of an account: what keeps a replayed record from counting twice
// (DEFINITIONS: Once).
//
// A floor revision and the set of records that were counted above it. The set is a
// list sorted by revision, newest first. Its first record lies in the account's
// state, where the usual record, newer than all, is one comparison; the others in
// a pool that one shard's accounts share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tally/page_array.h"

namespace geotally::tally {

/// One counted record. 24 bytes.
struct FenceEntry {
  std::uint64_t revision = 0;
  std::uint64_t tag = 0;     ///< hash of (collection, rkey, operation); low bits: see FenceTag
  std::uint32_t seen_s = 0;  ///< event time when it was counted
  std::uint32_t next = 0;    ///< node of the next older entry in the pool; 0 = none
};

/// What a record speaks about, where the newest must win. The numbers are stored.
enum class FenceTopic : std::uint8_t {
  kOther = 0,
  kProfile = 1,
  kAddress = 2,      ///< an address record that declares a country
  kAddressGone = 3,  ///< an address record that was deleted, or declares nothing usable
};

/// Identifies a record among those of one revision. Bits 0-1 are its topic; bits 2-17 of an
/// address are its key, because a deletion speaks of its own record only; the rest is a hash.
struct FenceTag {
  std::uint64_t value = 0;

  FenceTag(std::uint64_t discriminator, FenceTopic topic, std::uint16_t address_key = 0);
  explicit FenceTag(std::uint64_t stored) : value(stored) {}
  [[nodiscard]] FenceTopic topic() const { return static_cast<FenceTopic>(value & 3); }
  [[nodiscard]] std::uint16_t address_key() const { return static_cast<std::uint16_t>(value >> 2); }
};

/// The part of an account's state that belongs to the fence.
struct FenceState {
  std::uint64_t floor = 0;  ///< records at or below it were counted, or never will be
  FenceEntry newest;        ///< all zero when there are no entries
  std::uint32_t entries = 0;
  std::uint32_t oldest_s = 0;  ///< no entry was seen before; spares age() most walks

  /// The largest revision that was counted, or never will be.
  [[nodiscard]] std::uint64_t newest_revision() const {
    return entries == 0 ? floor : newest.revision;
  }
};

/// Not thread-safe: one pool a shard.
class FencePool {
 public:
  /// The set of one account holds up to twice this; then the older half goes.
  static constexpr std::uint32_t kKept = 256;

  FencePool();

  enum class Admission : std::uint8_t {
    kNew,      ///< counted from now on, and its evidence is the newest there is
    kNewLate,  ///< counted from now on, but a newer record that outdoes it was counted before
    kReplayed,
  };

  /// Lets a record pass once. `revision` > 0.
  Admission admit(FenceState& state, std::uint64_t revision, FenceTag tag, std::uint32_t time_s);

  /// Brings the second newest entry near: the place in the pool where the next change will be.
  void fetch(const FenceState& state) const { tally::fetch(&nodes_[state.newest.next]); }

  /// Brings all entries of up to kTogether accounts near, for copy(): a list is a chain of waits
  /// for memory, so they are walked side by side.
  void fetch(std::span<const FenceState* const> states) const;
  static constexpr std::size_t kTogether = 16;

  /// Raises the floor over entries last seen before `before_s` and gives their nodes back.
  /// Returns whether anything changed.
  bool age(FenceState& state, std::uint32_t before_s);

  /// Raises the floor to `floor`, if it is lower, over whatever entries are not above it.
  void raise_floor(FenceState& state, std::uint64_t floor);

  /// Gives all nodes back: the account leaves memory.
  void release(FenceState& state);

  /// The entries, newest first, appended to `out`.
  void copy(const FenceState& state, std::vector<FenceEntry>& out) const;
  /// Rebuilds a released state from entries as copy() gave them.
  void restore(FenceState& state, const std::vector<FenceEntry>& newest_first);

  /// Nodes in use. The newest entry of each set takes none.
  [[nodiscard]] std::size_t used() const { return used_; }
  /// Sets that had to forget records younger than the horizon, since the start.
  [[nodiscard]] std::uint64_t overflows() const { return overflows_; }

 private:
  [[nodiscard]] const FenceEntry* next(const FenceEntry& entry) const {
    return entry.next == 0 ? nullptr : &nodes_[entry.next];
  }
  std::uint32_t take();
  void give_back(std::uint32_t first);
  void cut_after(FenceState& state, std::uint32_t kept);

  PageArray<FenceEntry> nodes_;  // node 0 is never used: it means "none"
  std::uint32_t made_ = 1;       // nodes that were ever in use, and node 0
  std::uint32_t free_ = 0;
  std::size_t used_ = 0;
  std::uint64_t overflows_ = 0;
};

}  // namespace geotally::tally
