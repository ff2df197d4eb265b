#include "pipeline/account_reader.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

namespace geotally::pipeline {
namespace {

// Of a slice: so many that few files end within it, so few that what is known of them stays in a
// core's cache, and their places in the shard's table too.
constexpr std::uint64_t kSliceAccounts = 16'384;
// No thread is left with much when the others have ended.
constexpr std::uint64_t kSlicesAThread = 16;

}  // namespace

AccountReader::AccountReader(const store::Store& store, tally::AccountKey first,
                             tally::AccountKey last, std::uint64_t accounts, std::string name,
                             std::size_t threads)
    : loader_(store.load_accounts()),
      first_(first),
      last_(last),
      slices_(std::max(accounts / kSliceAccounts, threads * kSlicesAThread)),
      name_(std::move(name)),
      reading_(threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      ::pthread_setname_np(::pthread_self(), name_.c_str());
      run();
    });
  }
}

AccountReader::~AccountReader() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  writable_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void AccountReader::run() noexcept {
  std::exception_ptr failed;
  try {
    read();
  } catch (...) {
    failed = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    if (failed) failed_ = failed;
    --reading_;
  }
  readable_.notify_one();
}

void AccountReader::read() {
  const tally::AccountKey width = (last_ - first_) / slices_ + 1;
  Part part;
  for (std::uint64_t slice = 0; (slice = next_slice_.fetch_add(1)) < slices_;) {
    const tally::AccountKey offset = slice * width;
    if (offset > last_ - first_) return;
    const tally::AccountKey begin = first_ + offset;
    const tally::AccountKey end = last_ - begin < width ? last_ : begin + (width - 1);
    const std::unique_ptr<store::AccountScan> scan = loader_->scan(begin, end);
    for (bool more = true; more;) {
      part.accounts.resize(kPartAccounts);
      for (part.size = 0; part.size < kPartAccounts; ++part.size) {
        Account& account = part.accounts[part.size];
        more = scan->next(account.key, account.record);
        if (!more) break;
      }
      if (!hand_over(part)) return;
    }
  }
}

// Leaves a part to be filled. False = nobody wants more.
bool AccountReader::hand_over(Part& part) {
  {
    std::unique_lock lock(mutex_);
    writable_.wait(lock, [this] { return stopped_ || ready_.size() < kPartsAhead; });
    if (stopped_) return false;
    ready_.push_back(std::exchange(part, {}));
    if (!spare_.empty()) {
      part = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  readable_.notify_one();
  return true;
}

bool AccountReader::take(Part& part) {
  {
    std::unique_lock lock(mutex_);
    readable_.wait(lock, [this] { return failed_ || !ready_.empty() || reading_ == 0; });
    if (failed_) std::rethrow_exception(failed_);
    if (ready_.empty()) return false;
    std::swap(part, ready_.front());
    spare_.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  writable_.notify_one();
  return true;
}

}  // namespace geotally::pipeline
