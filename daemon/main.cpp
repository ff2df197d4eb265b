// Arguments in, exit code out; the one place where exceptions end.

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/evaluate.h"
#include "daemon/exit_code.h"
#include "daemon/forget.h"
#include "daemon/http_client.h"
#include "daemon/rebuild.h"
#include "daemon/resolve.h"
#include "daemon/show.h"
#include "geo/table_error.h"
#include "http/server.h"
#include "store/errors.h"
#include "version.h"

namespace {

using geotally::config::Inputs;

// Flags that every command which reads a configuration takes. They become settings, so that what
// a flag may hold is checked in one place.
void add_configuration(CLI::App& command, Inputs& inputs) {
  command.add_option("--config", inputs.file, "TOML file")->type_name("FILE");
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&inputs](const std::vector<std::string>& settings) {
            inputs.settings.insert(inputs.settings.end(), settings.begin(), settings.end());
          },
          "One key: section.key=value (may be repeated)")
      ->type_name("KEY=VALUE");
  const auto flag = [&](const char* name, const char* key, const char* type, const char* help) {
    command
        .add_option_function<std::string>(
            name,
            [&inputs, key](const std::string& value) {
              inputs.settings.push_back(fmt::format("{}={}", key, value));
            },
            help)
        ->type_name(type);
  };
  flag("--data-dir", "store.data_dir", "DIR", "Where the state is kept");
  flag("--listen", "http.listen", "HOST:PORT", "Where the admin server listens");
  flag("--wire", "feed.wire", "WIRE", "jetstream-v1 or jetstream-v2");
  flag("--clock", "tally.clock", "CLOCK", "wall: windows end now; feed: at the newest event");
  command
      .add_option_function<std::vector<std::string>>(
          "--feed",
          [&inputs](const std::vector<std::string>& urls) {
            std::string list;
            for (const std::string& url : urls) {
              list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", url);
            }
            inputs.settings.push_back(fmt::format("feed.urls=[{}]", list));
          },
          "URL of the feed, path included; repeated: alternatives of one feed")
      ->type_name("URL");
}

int guarded(const std::function<int()>& command) {
  const auto fail = [](geotally::ExitCode code, const char* what) {
    fmt::print(stderr, "geotally: {}\n", what);
    return static_cast<int>(code);
  };
  try {
    return command();
  } catch (const geotally::config::ConfigError& error) {
    return fail(geotally::kExitConfig, error.what());
  } catch (const geotally::geo::TableError& error) {
    return fail(geotally::kExitConfig, error.what());
  } catch (const geotally::store::Refused& error) {
    return fail(geotally::kExitData, error.what());
  } catch (const geotally::store::CannotCreate& error) {
    return fail(geotally::kExitCannotCreate, error.what());
  } catch (const geotally::store::IoError& error) {
    return fail(geotally::kExitIo, error.what());
  } catch (const geotally::UsageError& error) {
    return fail(geotally::kExitUsage, error.what());
  } catch (const geotally::NoAnswer& error) {
    return fail(geotally::kExitUnavailable, error.what());
  } catch (const geotally::http::ListenError& error) {
    return fail(geotally::kExitUnavailable, error.what());
  } catch (const std::exception& error) {
    return fail(geotally::kExitSoftware, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Exact, durable, rolling activity per country from a live feed of posts");
  app.require_subcommand(1);
  Inputs inputs;
  inputs.environment = geotally::config::process_environment();

  std::function<int()> chosen;
  const auto command = [&](const char* name, const char* help,
                           std::function<int(const Inputs&)> function) {
    CLI::App* sub = app.add_subcommand(name, help);
    add_configuration(*sub, inputs);
    sub->callback([&chosen, &inputs, function] {
      chosen = [&inputs, function] { return function(inputs); };
    });
    return sub;
  };
  command("run", "Follow the feed, count, and serve what is committed", geotally::run);
  bool quiet = false;
  command("check-config", "Read the configuration and print what is in force",
          [&quiet](const Inputs& given) { return geotally::check_config(given, quiet); })
      ->add_flag("--quiet", quiet, "Print mistakes only");
  command("verify", "Recompute every cell of a store from its accounts", geotally::verify);
  command("healthcheck", "Ask a running daemon whether it is ready", geotally::healthcheck);
  geotally::add_questions(app, inputs, chosen);
  geotally::add_study(app, inputs, chosen);
  geotally::add_forget(app, inputs, chosen);
  std::string backup_dir;
  std::uint32_t keep = 7;
  std::uint32_t backup_id = 0;
  const auto add_backup_dir = [&](CLI::App& sub) {
    add_configuration(sub, inputs);
    sub.add_option("--backup-dir", backup_dir, "Where the backups of this store are")
        ->required()
        ->type_name("DIR");
  };
  CLI::App* backup =
      app.add_subcommand("backup", "Write a backup of a store, also while a daemon runs on it");
  add_backup_dir(*backup);
  backup->add_option("--keep", keep, "How many backups stay")
      ->check(CLI::Range(1U, 100'000U))
      ->capture_default_str();
  backup->callback([&] { chosen = [&] { return geotally::backup(inputs, backup_dir, keep); }; });
  CLI::App* restore = app.add_subcommand("restore", "Put a backup into an empty data directory");
  add_backup_dir(*restore);
  restore->add_option("--id", backup_id, "Which one; without it, the latest")->type_name("NUMBER");
  restore->callback(
      [&] { chosen = [&] { return geotally::restore(inputs, backup_dir, backup_id); }; });
  geotally::add_rebuild(app, inputs, chosen, add_configuration);
  app.add_subcommand("version", "Print the version")->callback([&chosen] {
    chosen = [] {
      fmt::print("geotally {} ({})\n", geotally::kVersion, geotally::kRevision);
      return static_cast<int>(geotally::kExitOk);
    };
  });

  geotally::geo::Resolver::Options resolver;
  const auto add_resolver = [&](CLI::App& sub) {
    sub.add_option("--threshold", resolver.threshold,
                   "Confidence below which an account counts as ZZ")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    sub.add_option("--table", resolver.table, "The country table, if not the installed one")
        ->type_name("FILE");
  };
  bool explain = false;
  CLI::App* resolve =
      app.add_subcommand("resolve", "JSON lines of accounts in, their countries out");
  add_resolver(*resolve);
  resolve->add_flag("--explain", explain, "Show each piece of evidence and its weight in words");
  resolve->callback(
      [&] { chosen = [&] { return geotally::run_resolve(std::cin, stdout, resolver, explain); }; });
  std::string labelled;
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "How often the resolver is right on labelled accounts");
  add_resolver(*evaluate);
  evaluate->add_option("file", labelled, "JSON lines with `country`, or `countries` for places")
      ->required()
      ->type_name("FILE");
  evaluate->callback([&] { chosen = [&] { return geotally::run_evaluate(labelled, resolver); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = error.get_exit_code() == 0;
    app.exit(error);
    return asked_for_help ? geotally::kExitOk : geotally::kExitUsage;
  }
  return guarded(chosen);
}
