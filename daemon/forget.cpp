#include "daemon/forget.h"

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "daemon/clock.h"
#include "daemon/exit_code.h"
#include "daemon/http_client.h"
#include "daemon/options.h"
#include "daemon/show.h"
#include "daemon/source.h"
#include "http/api/api.h"
#include "http/forget.h"
#include "pipeline/sampler.h"
#include "version.h"

namespace geotally {
namespace {

struct Forget {
  SourceOptions source;
  std::vector<std::string> dids;
};

int ask_daemon(const config::Config& config, const Forget& forget) {
  const Server server = server_of(config, forget.source);
  for (const std::string& did : forget.dids) {
    const HttpReply reply = http_post(server.address, "/api/v1/forget?did=" + percent_encoded(did),
                                      http::kForgetAction, server.token);
    if (reply.code != 200) {
      const http::Reply wrong = http::parse_envelope("forget", reply.code, reply.body);
      fmt::print(stderr, "geotally: {}: {}\n", did, wrong.error);
      return exit_code_of(wrong);
    }
    fmt::print("{}: erased\n", did);
  }
  return kExitOk;
}

// The daemon's own pipeline without a feed: what it does to the store, and no other code, is done.
int in_store(const config::Config& config, const Forget& forget) {
  log::Options quiet = log_options(config.log);
  quiet.level_min = log::Level::kWarning;
  log::Logger log(quiet);
  metrics::Metrics metrics({kVersion, kRevision}, wall_us(), feed_reasons(), log);
  store::Options where = store_options(config);
  where.create = false;
  const auto store = store::Store::open(where);
  const geo::Resolver resolver(resolver_options(config.resolver));
  const auto dialect = feed::make_dialect(wire_of(config.feed), dialect_options(config.feed));
  feed::Position position(position_options(config));
  const std::string& cursor = store->last_commit().cursor;
  if (!cursor.empty() && !position.parse(cursor)) {
    throw store::Refused(fmt::format("store {}: its cursor is corrupt", config.store.data_dir));
  }
  std::string said;
  for (const std::string& did : forget.dids) {
    store::AccountRecord record;
    const bool known = store->read_account(pipeline::account_key(did, store->seed()), record);
    said += fmt::format("{}: {}\n", did, known ? "erased" : "not in this store");
  }
  pipeline::PipelineOptions options = pipeline_options(config);
  options.failed = [](std::exception_ptr reason) {
    try {
      std::rethrow_exception(std::move(reason));
    } catch (const std::exception& error) {
      fmt::print(stderr, "geotally: nothing was erased: {}\n", error.what());
    }
    std::_Exit(kExitIo);
  };
  pipeline::Pipeline pipeline(std::move(options), *store, resolver, *dialect, position, metrics,
                              log);
  pipeline.start();
  for (const std::string& did : forget.dids) pipeline.ingest().forget(did);
  pipeline.stop();  // committed
  fmt::print("{}", said);
  return kExitOk;
}

int run_forget(const config::Inputs& inputs, const Forget& forget) {
  for (const std::string& did : forget.dids) {
    if (!http::is_did(did)) throw UsageError(fmt::format("{}: not a DID (did:plc:...)", did));
  }
  if (forget.source.offline && forget.source.url) {
    throw UsageError("--url and --data-dir exclude each other");
  }
  const config::Config config = config::load(inputs).config;
  return forget.source.offline ? in_store(config, forget) : ask_daemon(config, forget);
}

}  // namespace

void add_forget(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen) {
  CLI::App* command = app.add_subcommand("forget", "Erase accounts at once");
  const auto forget = std::make_shared<Forget>();
  add_source(*command, inputs, forget->source);
  command->add_option("did", forget->dids, "Whose")->required()->type_name("DID");
  command->callback([&chosen, &inputs, forget] {
    chosen = [&inputs, forget] { return run_forget(inputs, *forget); };
  });
}

}  // namespace geotally
