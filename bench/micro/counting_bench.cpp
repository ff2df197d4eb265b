// An account looked up in the table of a shard, and a post counted.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "pipeline/account_table.h"
#include "tally/changes.h"
#include "tally/fence.h"
#include "tally/tally.h"

namespace geotally::bench {
namespace {

/// A table of `count` accounts, and their keys in another order. Kept: ten million take seconds.
struct Accounts {
  explicit Accounts(std::size_t count) : table(0, 0, count * 2), wanted(count) {
    std::mt19937_64 random(7);
    for (tally::AccountKey& key : wanted) {
      do key = random() | 1;
      while (table.find(key) != nullptr);
      table.insert(key);
    }
    std::shuffle(wanted.begin(), wanted.end(), random);
  }
  pipeline::AccountTable table;
  std::vector<tally::AccountKey> wanted;
};

Accounts& accounts(std::int64_t count) {
  static std::unique_ptr<Accounts> made;
  const auto size = static_cast<std::size_t>(count);
  if (made == nullptr || made->wanted.size() != size) {
    made.reset();
    made = std::make_unique<Accounts>(size);
  }
  return *made;
}

void account_look_up(benchmark::State& bench) {
  auto& [table, wanted] = accounts(bench.range(0));
  std::size_t i = 0;
  for (auto _ : bench) {
    benchmark::DoNotOptimize(table.find(wanted[i])->state.posts);
    if (++i == wanted.size()) i = 0;
  }
  bench.SetItemsProcessed(bench.iterations());
  bench.counters["bytes_an_account"] =
      static_cast<double>(table.bytes()) / static_cast<double>(table.size());
}

void account_look_up_in_groups(benchmark::State& bench) {
  constexpr std::size_t kGroup = 16;
  auto& [table, wanted] = accounts(bench.range(0));
  std::size_t i = 0;
  for (auto _ : bench) {
    for (std::size_t k = 0; k < kGroup; ++k) table.fetch_key(wanted[i + k]);
    for (std::size_t k = 0; k < kGroup; ++k) table.fetch(wanted[i + k]);
    for (std::size_t k = 0; k < kGroup; ++k) {
      benchmark::DoNotOptimize(table.find(wanted[i + k])->state.posts);
    }
    i += kGroup;
    if (i + kGroup > wanted.size()) i = 0;
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(kGroup));
}
// By size, so that each table is made once.
BENCHMARK(account_look_up)->Arg(600'000);
BENCHMARK(account_look_up_in_groups)->Arg(600'000);
BENCHMARK(account_look_up)->Arg(10'000'000);
BENCHMARK(account_look_up_in_groups)->Arg(10'000'000);

/// Posts of accounts that are in the cache: the fence, the account, and the cells.
void count_a_post(benchmark::State& bench) {
  std::vector<tally::AccountState> accounts(1'000);
  tally::AccountPools pools;
  tally::Changes changes;
  changes.set_watermark(1'760'000'000);
  const tally::Placement placement{*Country::parse("FR"), EvidenceKind::kLanguage, 200};
  tally::Sample sample;
  sample.kind = EventKind::kPost;
  sample.time_us = 1'760'000'000'000'000;
  sample.revision = std::uint64_t{1'760'000'000'000'000} << 10;
  std::size_t i = 0;
  for (auto _ : bench) {
    sample.time_us += 1'000;
    sample.revision += std::uint64_t{1'000} << 10;
    sample.discriminator = sample.revision * 0x9E3779B97F4A7C15ULL;
    tally::AccountState& state = accounts[i];
    if (!tally::admit(state, pools, sample, {}).counted) std::abort();
    tally::count(state, sample, placement, {}, changes);
    (void)pools.fences.age(state.fence, static_cast<std::uint32_t>(sample.time_us / 1'000'000) - 60);
    if (++i == accounts.size()) i = 0;
  }
  bench.SetItemsProcessed(bench.iterations());
}
BENCHMARK(count_a_post);

}  // namespace
}  // namespace geotally::bench
