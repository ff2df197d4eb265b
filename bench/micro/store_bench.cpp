// A commit: encoded accounts in the order of their keys, made durable. The time is that of the
// wall: fsync is a part of it.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "store/codec.h"
#include "store/store.h"

namespace geotally::bench {
namespace {

store::AccountRecord usual_account(std::uint64_t i) {
  store::AccountRecord record;
  record.state.fence.floor = (std::uint64_t{1'760'000'000'000'000} + i) << 10;
  record.state.first_day = 20'000;
  record.state.set(tally::AccountState::kKnown, true);
  record.state.last_post_s = 1'760'000'000;
  record.state.posts = static_cast<std::uint32_t>(1 + i % 300);
  record.state.days = 5;
  record.state.country = *Country::parse("FR");
  record.state.evidence = EvidenceKind::kLanguage;
  record.state.confidence = 200;
  for (std::size_t k = 0; k < 10; ++k) record.evidence.bytes[k] = static_cast<std::uint8_t>(i + k);
  return record;
}

void encode_an_account(benchmark::State& bench) {
  const store::AccountRecord record = usual_account(17);
  std::string bytes;
  for (auto _ : bench) {
    bytes.clear();
    store::encode_account(record, bytes);
    benchmark::DoNotOptimize(bytes);
  }
  bench.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(encode_an_account);

void commit_accounts(benchmark::State& bench) {
  const auto accounts = static_cast<std::size_t>(bench.range(0));
  std::string folder = (std::filesystem::temp_directory_path() / "geotally-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  {
    store::Options options;
    options.directory = folder + "/data";
    const auto opened = store::Store::open(options);
    std::vector<std::string> bytes(accounts);
    store::Commit commit;
    for (std::size_t i = 0; i < accounts; ++i) {
      store::encode_account(usual_account(i), bytes[i]);
      commit.accounts.push_back({(i + 1) * (~std::uint64_t{0} / (accounts + 1)), bytes[i]});
    }
    for (auto _ : bench) {
      ++commit.record.number;
      commit.record.watermark_us = static_cast<std::int64_t>(commit.record.number) * 1'000'000;
      opened->commit(commit);
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  bench.SetItemsProcessed(bench.iterations() * bench.range(0));
}
BENCHMARK(commit_accounts)->Arg(1'000)->Arg(100'000)->UseRealTime();

}  // namespace
}  // namespace geotally::bench
