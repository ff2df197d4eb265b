#include "rig.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace geotally::pipeline {
namespace {

constexpr std::size_t kFramesPerRead = 300;
constexpr std::int64_t kTickStep_us = 5'000'000;

log::Options log_options(int descriptor) {
  log::Options options;
  options.descriptor = descriptor;
  options.format = log::Format::kJson;
  options.strict = true;
  return options;
}

store::Options store_options(const RigOptions& options) {
  store::Options store;
  store.directory = options.directory;
  store.memory_bytes = std::size_t{16} << 20;
  store.env = options.env;
  return store;
}

void abort_on_failure(std::exception_ptr reason) {
  try {
    std::rethrow_exception(std::move(reason));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a thread of the pipeline failed: %s\n", error.what());
  }
  std::abort();
}

}  // namespace

const geo::Resolver& resolver(double threshold) {
  static std::map<double, std::unique_ptr<geo::Resolver>> resolvers;
  std::unique_ptr<geo::Resolver>& one = resolvers[threshold];
  if (!one) {
    geo::Resolver::Options options;
    options.threshold = threshold;
    one = std::make_unique<geo::Resolver>(options);
  }
  return *one;
}

void await(const std::function<bool()>& done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

Rig::Rig(const RigOptions& options)
    : wall_us(options.wall_us),
      options_(options),
      null_(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
      log_(log_options(options.log_descriptor < 0 ? null_ : options.log_descriptor)),
      metrics_({"0", "test"}, 0, {}, log_),
      store_(store::Store::open(store_options(options))),
      dialect_(feed::make_dialect(options.wire)) {
  if (!store_->last_commit().cursor.empty() && !position_.parse(store_->last_commit().cursor)) {
    std::fputs("the cursor does not parse\n", stderr);
    std::abort();
  }
  seq_ = position_.sequence();
  PipelineOptions pipeline;
  pipeline.shards = options.shards;
  pipeline.memory_bytes = options.memory_bytes;
  pipeline.fence_horizon_s = options.fence_horizon_s;
  pipeline.erase_deleted_days = options.erase_deleted_days;
  pipeline.windows = options.windows;
  pipeline.ingest.clock = options.clock;
  pipeline.ingest.commit_interval_us = options.commit_interval_us;
  pipeline.ingest.now_us = [this] { return wall_us.load(); };
  pipeline.ingest.reopen = [this] { ++reopened; };
  pipeline.failed = options.failed ? options.failed : abort_on_failure;
  pipeline_ = std::make_unique<Pipeline>(std::move(pipeline), *store_, resolver(options.threshold),
                                         *dialect_, position_, metrics_, log_);
  pipeline_->start();
  if (options.connect) reconnect();
}

Rig::~Rig() {
  stop();
  pipeline_.reset();
  store_.reset();
  ::close(null_);
}

void Rig::stop() {
  if (std::exchange(stopped_, true)) return;
  pipeline_->stop();
}

void Rig::feed(std::string_view message) {
  buffer_.assign(message);
  buffer_.append(feed::kFramePadding, '}');
  ingest().frame({std::string_view(buffer_).substr(0, message.size())});
}

void Rig::feed(const support::Line& line) {
  feed(options_.wire == feed::Wire::kJetstreamV2 ? support::to_message_v2(line, ++seq_)
                                                 : support::to_message(line));
}

void Rig::feed(std::span<const support::Line> lines) {
  std::size_t frames = 0;
  for (const support::Line& line : lines) {
    feed(line);
    if (++frames % kFramesPerRead == 0) drained();
  }
  drained();
}

void Rig::drained() { ingest().drained(); }
void Rig::tick() { ingest().tick(); }

void Rig::pass(std::int64_t time_us) {
  while (time_us > 0) {
    const std::int64_t step = std::min(time_us, kTickStep_us);
    wall_us += step;
    time_us -= step;
    tick();
  }
}

void Rig::settle() {
  drained();
  // The mark of the drain may have been held back by one on its way; the second from now is not.
  const std::uint64_t enough = committed() + 2;
  await([&] {
    if (committed() < enough) tick();
    return committed() >= enough;
  });
}

void Rig::await_commit(std::uint64_t number) {
  await([&] { return committed() >= number; });
}

std::size_t Rig::resume_at(std::span<const support::Line> lines) const {
  const feed::Resume resume = position_.resume("test:1", options_.wire);
  std::size_t at = 0;
  if (resume.kind == feed::Resume::Kind::kLive) return at;
  while (at < lines.size() && lines[at].time_us < static_cast<std::int64_t>(resume.value)) ++at;
  return at;
}

void Rig::reconnect(std::string_view host) {
  position_.disconnected("server_closed");
  ingest().connected(false);
  position_.connected(host, options_.wire, wall_us);
  ingest().connected(true);
}

double Rig::metric(std::string_view sample) const {
  const std::string page = metrics_.page();
  const std::string start = fmt::format("\n{} ", sample);
  const std::size_t at = page.find(start);
  if (at == std::string::npos) return 0;
  return std::strtod(page.c_str() + at + start.size(), nullptr);
}

double Rig::counted() const {
  double sum = 0;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    sum += metric(fmt::format("geotally_events_total{{kind=\"{}\"}}",
                              to_string(static_cast<EventKind>(kind))));
  }
  return sum;
}

double Rig::dropped(std::string_view reason) const {
  return metric(fmt::format("geotally_events_dropped_total{{reason=\"{}\"}}", reason));
}

double Rig::rejected() const {
  double sum = 0;
  for (std::size_t i = 0; i < kRejections; ++i) {
    sum += metric(fmt::format("geotally_events_rejected_total{{reason=\"{}\"}}",
                              to_string(static_cast<Rejection>(i))));
  }
  return sum;
}

double Rig::accounted_for() const {
  double sum = counted() + rejected();
  for (std::size_t i = 0; i < kDrops; ++i) sum += dropped(to_string(static_cast<Drop>(i)));
  for (std::size_t i = 0; i < kNotices; ++i) {
    sum += metric(fmt::format("geotally_feed_notices_total{{name=\"{}\"}}",
                              to_string(static_cast<Notice>(i))));
  }
  return sum;
}

}  // namespace geotally::pipeline
