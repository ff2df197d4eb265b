// Reads the accounts of a store ahead of the shard that wants all of them in memory.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace geotally::pipeline {

/// Reading and decoding an account takes several times as long as putting it into a table, so
/// threads of their own do it, each in another part of the key range. Bounded: they wait when the
/// shard does not take what they have read.
class AccountReader {
 public:
  struct Account {
    tally::AccountKey key = 0;
    store::AccountRecord record;
  };
  /// Some accounts, near to each other by key. Recycled, for its memory's sake.
  struct Part {
    std::vector<Account> accounts;
    std::size_t size = 0;
  };

  /// Starts `threads` threads, called `name`, that read the accounts of keys [first, last]: about
  /// `accounts` of them. Throws what reading the store throws.
  AccountReader(const store::Store& store, tally::AccountKey first, tally::AccountKey last,
                std::uint64_t accounts, std::string name, std::size_t threads);
  /// Ends them, within milliseconds.
  ~AccountReader();
  AccountReader(const AccountReader&) = delete;
  AccountReader& operator=(const AccountReader&) = delete;

  /// One thread's: sleeps until there is a part. False = there are no more. Each account comes
  /// once, as it was when the reader started or as it was committed since then. Throws what reading
  /// the store threw.
  [[nodiscard]] bool take(Part& part);

 private:
  static constexpr std::size_t kPartAccounts = 1'024;
  static constexpr std::size_t kPartsAhead = 16;

  void run() noexcept;
  void read();
  [[nodiscard]] bool hand_over(Part& part);

  const std::unique_ptr<store::AccountLoader> loader_;
  const tally::AccountKey first_;
  const tally::AccountKey last_;
  const std::uint64_t slices_;  // of the key range, which the threads take one after the other
  const std::string name_;
  std::atomic<std::uint64_t> next_slice_{0};

  std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  std::deque<Part> ready_;   // guarded by mutex_, as all that follows
  std::vector<Part> spare_;  // to be filled again
  std::size_t reading_ = 0;  // threads that have not come to their end
  std::exception_ptr failed_;
  bool stopped_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace geotally::pipeline
