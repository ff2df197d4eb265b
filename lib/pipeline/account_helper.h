// Reads accounts from the store for a shard, while the shard reads others.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace geotally::pipeline {

/// A thread that is asked for some accounts and gives them: for one other thread.
class AccountHelper {
 public:
  struct Account {
    tally::AccountKey key = 0;
    bool found = false;
    store::AccountRecord record;  ///< if found
  };

  /// `store` must outlive it. `name`: of the thread.
  AccountHelper(const store::Store& store, std::string name);
  /// Waits for what was asked last.
  ~AccountHelper();
  AccountHelper(const AccountHelper&) = delete;
  AccountHelper& operator=(const AccountHelper&) = delete;

  /// `keys`: in ascending order. Waits until what was asked before is read, also if nobody wants
  /// the answer any more.
  void ask(std::span<const tally::AccountKey> keys);
  /// Sleeps until all are read; one for each key, in their order. Holds until the next ask().
  /// Throws what reading the store threw.
  [[nodiscard]] std::span<const Account> answer();

 private:
  void run() noexcept;
  void send();
  void wait() const;

  const store::Store& store_;
  // Those of the thread between ask() and its answer, of the caller else.
  std::vector<tally::AccountKey> keys_;
  bool end_ = false;
  std::vector<Account> accounts_;
  std::size_t read_ = 0;
  std::exception_ptr failed_;
  std::atomic<std::uint32_t> asked_{0};
  std::atomic<std::uint32_t> answered_{0};
  std::thread thread_;
};

}  // namespace geotally::pipeline
