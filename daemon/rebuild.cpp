#include "daemon/rebuild.h"

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "daemon/clock.h"
#include "daemon/exit_code.h"
#include "daemon/options.h"
#include "daemon/source.h"
#include "daemon/store_view.h"
#include "feed/position.h"
#include "store/rebuild.h"

namespace geotally {
namespace {

// Where the feed is resumed when the store does not know it any more: at its watermark. No event
// proves that place, so what the feed cannot replay becomes a gap of its own.
std::string position_at(const config::Config& config, const std::string& stored,
                        std::int64_t watermark_us) {
  feed::Position position(position_options(config));
  if (!stored.empty() && position.parse(stored)) return stored;
  feed::Position lost(position_options(config));
  lost.observe(0, watermark_us, 0);
  return lost.serialize();
}

std::string time_of(std::int64_t time_us) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(time_us / tally::kMicrosPerSecond));
}

void report(const store::Rebuilt& rebuilt) {
  if (rebuilt.manifest_lost) {
    fmt::print("the list of its files cannot be used: every file was read on its own\n");
  }
  if (rebuilt.log_broken) fmt::print("a log does not read to its end\n");
  if (rebuilt.files_lost != 0) {
    fmt::print("{} files cannot be read at all\n", rebuilt.files_lost);
  }
  for (const store::Rebuilt::Family& family : rebuilt.families) {
    if (family.name == "due") continue;  // made anew
    fmt::print("{}: kept {}, unreadable {}, invalid {}, missing {}\n", family.name, family.kept,
               family.unreadable, family.invalid, family.missing);
  }
  fmt::print("{} rows did not agree with the accounts and were counted again\n", rebuilt.corrected);
  for (const Gap& gap : rebuilt.gaps) {
    fmt::print("gap: {} to {}, {:.6f} s, {}\n", time_of(gap.from_us), time_of(gap.to_us),
               static_cast<double>(gap.to_us - gap.from_us) / 1e6, gap.cause);
  }
  if (rebuilt.gaps.empty()) fmt::print("nothing was lost: no gap\n");
}

int run_rebuild(const config::Inputs& inputs, const std::string& into) {
  const config::Config config = config::load(inputs).config;
  const std::string& data_dir = config.store.data_dir;
  refuse_held(data_dir);
  const auto place = [](const std::string& path) {
    return (std::filesystem::weakly_canonical(path) / "").lexically_normal().string();
  };
  if (place(into).starts_with(place(data_dir))) {
    throw UsageError("--into must not lie within the damaged store");
  }
  store::RebuildOptions options;
  options.data_dir = data_dir;
  options.into = into;
  options.now_us = wall_us();
  options.position = [&](const std::string& stored, std::int64_t watermark_us) {
    return position_at(config, stored, watermark_us);
  };
  const store::Rebuilt rebuilt = store::rebuild(options);
  if (rebuilt.families.empty()) {
    fmt::print("an earlier rebuild was complete but for its last step\n");
  } else {
    report(rebuilt);
  }
  fmt::print("rebuilt commit {} into {}; the feed is resumed from its cursor\n",
             rebuilt.record.number, into);
  return kExitOk;
}

}  // namespace

void add_rebuild(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen,
                 const std::function<void(CLI::App&, config::Inputs&)>& add_configuration) {
  CLI::App* command = app.add_subcommand(
      "rebuild", "Make a new store of what verifies in a damaged one; the rest becomes a gap");
  add_configuration(*command, inputs);
  const auto into = std::make_shared<std::string>();
  command->add_option("--into", *into, "An empty data directory for the new store")
      ->required()
      ->type_name("DIR");
  command->callback([&chosen, &inputs, into] {
    chosen = [&inputs, into] { return run_rebuild(inputs, *into); };
  });
}

}  // namespace geotally
