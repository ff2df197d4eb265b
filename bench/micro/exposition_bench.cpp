// The country page of a commit, and its gzip.
#include <random>

#include <benchmark/benchmark.h>

#include "http/encoding.h"
#include "metrics/country_page.h"
#include "tally/windows.h"

namespace geotally::bench {
namespace {

tally::Snapshot snapshot() {
  tally::Snapshot snapshot;
  snapshot.commit = 1;
  snapshot.edge_us = 1'760'000'000'123'456;
  snapshot.windows = tally::default_windows();
  snapshot.window_coverage_us.assign(snapshot.windows.size(), 60'000'000);
  snapshot.countries.resize(Country::count());
  std::mt19937_64 random(2012);
  for (tally::CountryFigures& figures : snapshot.countries) {
    // Few countries are large, most are small.
    const std::uint64_t size = std::uint64_t{1} << (random() % 24);
    figures.posts = size * 90 + random() % size;
    figures.posts_deleted = size * 5;
    figures.accounts = size;
    for (std::uint64_t& count : figures.engagement) count = size / 4;
    for (std::size_t i = 0; i < snapshot.windows.size(); ++i) {
      figures.window_posts[i] = random() % (size * (i + 1));
      figures.window_active[i] = random() % size;
    }
  }
  return snapshot;
}

void country_page(benchmark::State& bench) {
  const tally::Snapshot shown = snapshot();
  std::size_t bytes = 0;
  for (auto _ : bench) bytes = metrics::country_page(shown).size();
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(country_page);

void country_page_gzip(benchmark::State& bench) {
  const std::string page = metrics::country_page(snapshot());
  std::size_t bytes = 0;
  for (auto _ : bench) bytes = http::gzip(page).size();
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(country_page_gzip);

}  // namespace
}  // namespace geotally::bench
