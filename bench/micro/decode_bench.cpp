// From the bytes of a message to an Event.
#include <benchmark/benchmark.h>

#include "micro/messages.h"

namespace geotally::bench {
namespace {

void decode(benchmark::State& bench, feed::Wire wire) {
  const Messages messages(wire, 20'000, 100'000);
  const auto dialect = feed::make_dialect(wire);
  Event event;
  std::size_t i = 0;
  std::int64_t bytes = 0;
  for (auto _ : bench) {
    const feed::Frame frame = messages[i];
    if (dialect->decode(frame, event) != Verdict::kEvent) return bench.SkipWithError("refused");
    benchmark::DoNotOptimize(event);
    bytes += static_cast<std::int64_t>(frame.text.size());
    if (++i == messages.size()) i = 0;
  }
  bench.SetItemsProcessed(bench.iterations());
  bench.SetBytesProcessed(bytes);
}
BENCHMARK_CAPTURE(decode, v1, feed::Wire::kJetstreamV1);
BENCHMARK_CAPTURE(decode, v2, feed::Wire::kJetstreamV2);

}  // namespace
}  // namespace geotally::bench
