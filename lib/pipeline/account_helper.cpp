#include "pipeline/account_helper.h"

#include <utility>

#include <pthread.h>

namespace geotally::pipeline {

AccountHelper::AccountHelper(const store::Store& store, std::string name)
    : store_(store), thread_([this, name = std::move(name)] {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        run();
      }) {}

AccountHelper::~AccountHelper() {
  wait();
  end_ = true;
  send();
  thread_.join();
}

void AccountHelper::send() {
  asked_.fetch_add(1, std::memory_order_release);
  asked_.notify_one();
}

void AccountHelper::wait() const {
  const std::uint32_t asked = asked_.load(std::memory_order_relaxed);
  for (std::uint32_t seen = 0; (seen = answered_.load(std::memory_order_acquire)) != asked;) {
    answered_.wait(seen, std::memory_order_acquire);
  }
}

void AccountHelper::ask(std::span<const tally::AccountKey> keys) {
  wait();
  keys_.assign(keys.begin(), keys.end());
  send();
}

std::span<const AccountHelper::Account> AccountHelper::answer() {
  wait();
  if (failed_) std::rethrow_exception(failed_);
  return {accounts_.data(), read_};
}

void AccountHelper::run() noexcept {
  for (std::uint32_t number = 0;; ++number) {
    asked_.wait(number, std::memory_order_acquire);
    if (end_) return;
    if (accounts_.size() < keys_.size()) accounts_.resize(keys_.size());
    read_ = 0;
    failed_ = nullptr;
    try {
      store_.read_accounts(keys_, [this](tally::AccountKey key, store::AccountRecord* record) {
        Account& account = accounts_[read_++];
        account.key = key;
        account.found = record != nullptr;
        if (account.found) std::swap(account.record, *record);
      });
    } catch (...) {
      failed_ = std::current_exception();
    }
    answered_.store(number + 1, std::memory_order_release);
    answered_.notify_one();
  }
}

}  // namespace geotally::pipeline
