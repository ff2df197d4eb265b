// The accounts of one shard: those in memory, those that only the store has, and which of them have
// changed since the last mark.
//
// Memory is bounded. After a start the store's accounts come in, in its order; where they do not
// all fit, one is read when it is met, and those that were not met for long leave.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/account_helper.h"
#include "pipeline/account_reader.h"
#include "pipeline/account_table.h"
#include "pipeline/changed_accounts.h"
#include "pipeline/hand.h"
#include "store/store.h"
#include "tally/sample.h"
#include "tally/telling.h"

namespace geotally::pipeline {

/// Which of the store's accounts a shard has in memory.
enum class Residency : std::uint8_t {
  kLoading,  ///< they are being read after a start
  kAll,
  kPart,  ///< they do not all fit
};

/// Thrown where a commit is waited for that does not come any more.
struct Abandoned {};

struct AccountsOptions {
  std::size_t shard = 0;        ///< its number, for the names of threads
  tally::AccountKey first = 0;  ///< keys of this shard: [first, last]
  tally::AccountKey last = UINT64_MAX;
  std::size_t slots = 0;        ///< of the table, at most
  std::size_t fence_bytes = 0;  ///< bound of the fences' sets
};

/// Not thread-safe: the shard's thread has it. A HotAccount holds until the next get(),
/// fetch_cold() or warm_up().
class Accounts {
 public:
  /// `committed`: number of the last commit that is durable. `abandoned`: it will not rise any
  /// more. All references must outlive it.
  Accounts(const AccountsOptions& options, const store::Store& store,
           const std::atomic<std::uint64_t>& committed, const std::atomic<bool>& abandoned);
  ~Accounts();

  // --- into memory ---

  /// After a start: begins to read the store's accounts ahead, if they fit. Throws what reading the
  /// store throws, as all below do.
  void begin_warm_up();
  [[nodiscard]] bool warming_up() const { return reader_ != nullptr; }
  /// Takes some of what was read; sleeps until there is something.
  void warm_up(std::uint32_t horizon_s);
  /// Stops reading ahead.
  void end_warm_up();
  /// Reads the accounts of `samples` that are not in memory, together: what the store has to look
  /// through for one of them it looks through for all.
  void fetch_cold(std::span<const tally::Sample> samples);
  /// Brings what find() and get() will touch near to the processor: loads that wait together.
  void fetch(std::span<const tally::Sample> samples);

  /// The account, if it is in memory.
  [[nodiscard]] HotAccount* find(tally::AccountKey key) { return table_.find(key); }
  /// The account, new if there is none; read from the store when cold. May wait for a commit, for
  /// room. Throws Abandoned.
  HotAccount& get(tally::AccountKey key);

  /// Whether nothing is known of the account: it is not stored.
  [[nodiscard]] bool is_blank(const HotAccount& hot) const;
  /// Makes it so.
  void forget(HotAccount& hot);

  /// What the accounts share beside their states. Nothing is added to it but for an account that
  /// get() gave since the last time: that is what makes room for it.
  [[nodiscard]] tally::AccountPools& pools() { return pools_; }
  [[nodiscard]] Residency residency() const;
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  /// More than this are never in memory.
  [[nodiscard]] std::size_t limit() const { return table_.limit(); }
  /// Of a table that is given `slots`, the accounts that may have details: few have any.
  [[nodiscard]] static std::size_t details_for(std::size_t slots);

  // --- out of it ---

  /// The account is about to change.
  void touch(HotAccount& hot);
  /// So much has changed that the next mark should not wait.
  [[nodiscard]] bool crowded() const;
  /// Takes accounts along that have not changed since the commit `round`, a part at each mark,
  /// while all are in memory; 0 = none. Gives the last round that came to its end, perhaps with
  /// this call.
  std::uint64_t rewrite(std::uint64_t round);
  /// All that changed since the last call, by key: they become durable with the mark `number`. Not
  /// before the commit of the last call is durable: that is how long its bytes hold.
  [[nodiscard]] std::vector<store::AccountChange> take_changed(std::uint64_t number,
                                                               std::uint32_t horizon_s);

  /// Ages the fences of a part of the accounts, which were not met since; of all, when they take
  /// more than their bound: then younger records than the horizon go. True = that was so.
  bool sweep(std::uint32_t horizon_s, std::uint32_t watermark_s);

 private:
  HotAccount& blank(tally::AccountKey key);
  void restore(HotAccount& hot, const store::AccountRecord& record);
  [[nodiscard]] bool full() const { return table_.full() || details_full(); }
  [[nodiscard]] bool details_full() const { return pools_.details.used() >= details_max_; }
  void make_room();
  bool evict(std::size_t slot);
  void encode(tally::AccountKey key, HotAccount& hot, std::uint32_t horizon_s);

  const AccountsOptions options_;
  const store::Store& store_;
  const std::atomic<std::uint64_t>& committed_;
  const std::atomic<bool>& abandoned_;
  const std::uint64_t base_floor_;  // of accounts that the store does not know
  const std::size_t details_max_;   // accounts that may have details

  AccountTable table_;
  tally::AccountPools pools_;
  bool complete_;                          // every account of the store is in memory
  std::unique_ptr<AccountReader> reader_;  // of those that are not in memory yet
  AccountReader::Part part_;               // of what it has read
  std::unique_ptr<AccountHelper> helper_;  // reads half of the cold ones; made when needed
  Hand hand_{1};                           // of make_room()
  std::size_t swept_ = 0;                  // where sweep() goes on

  std::uint64_t next_mark_;                // changes now go into this one
  std::uint32_t short_mark_;               // of it
  std::size_t changed_ = 0;                // accounts, since the last mark
  std::size_t changed_details_ = 0;        // of them those that had details
  std::uint64_t details_made_ = 0;         // by the last mark
  ChangedAccounts bytes_;                  // of what is being committed
  std::uint64_t round_ = 0;                // of rewriting, the last one seen
  tally::AccountKey rewritten_until_ = 0;  // in it; the accounts before this key
  std::uint64_t rewritten_ = 0;            // the last round that came to its end

  store::AccountRecord record_;           // scratch
  std::vector<tally::FenceEntry> fence_;  // scratch
  std::vector<tally::AccountKey> cold_;   // scratch of fetch_cold()
};

}  // namespace geotally::pipeline
