#include "daemon/show.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "daemon/exit_code.h"
#include "daemon/http_client.h"
#include "daemon/screen.h"
#include "daemon/table.h"
#include "http/api/api.h"
#include "http/api/json.h"

namespace geotally {
namespace {

struct Question {
  SourceOptions source;
  std::string name;
  std::string country;  // of `country`
  http::Parameters parameters;
  bool json = false;
  bool csv = false;
  bool flags = false;
  double watch_s = 0;  // 0 = once
};

std::string shown(const http::Reply& reply, const Question& question) {
  if (question.json) return http::envelope(reply);
  if (question.csv) return http::to_csv(*reply.message);
  return to_text(*reply.message, question.flags);
}

http::Reply asked(const http::Ask& ask, const Question& question) {
  return ask(question.country.empty() ? question.name : "countries/" + question.country,
             question.parameters);
}

int show_once(const http::Reply& reply, const Question& question) {
  if (reply.code == 200) {
    fmt::print("{}", shown(reply, question));
  } else {
    fmt::print(stderr, "geotally: {}\n", reply.error);
  }
  return std::fflush(stdout) == 0 ? exit_code_of(reply) : kExitIo;
}

// Who watches wants to see the daemon come back, too; a wrong question stays wrong.
int watch(const http::Ask& ask, const Question& question) {
  Screen screen;
  while (std::ferror(stdout) == 0) {
    try {
      const http::Reply reply = asked(ask, question);
      if (exit_code_of(reply) == kExitUsage) return show_once(reply, question);
      if (reply.code == 200) {
        screen.show(shown(reply, question));
      } else {
        screen.keep(fmt::format("geotally: {}", reply.error));
      }
    } catch (const NoAnswer& error) {
      screen.keep(fmt::format("geotally: {}", error.what()));
    }
    screen.wait(question.watch_s);
  }
  return kExitIo;
}

int show(const config::Inputs& inputs, const Question& question) {
  if (question.watch_s > 0 && question.source.offline) {
    throw UsageError(
        "--watch needs a running daemon: a data directory that none holds stays as "
        "it is");
  }
  if (question.json && question.csv) throw UsageError("--json and --csv exclude each other");
  const http::Ask ask = make_source(inputs, question.source);
  return question.watch_s > 0 ? watch(ask, question) : show_once(asked(ask, question), question);
}

}  // namespace

void add_source(CLI::App& command, config::Inputs& inputs, SourceOptions& source) {
  command.add_option("--url", source.url, "A running daemon; by default, where --config says")
      ->type_name("http://HOST:PORT");
  command
      .add_option_function<std::string>(
          "--data-dir",
          [&inputs, &source](const std::string& directory) {
            source.offline = true;
            inputs.settings.push_back("store.data_dir=" + directory);
          },
          "Use a data directory that no daemon holds, instead")
      ->type_name("DIR");
  command
      .add_option("--token-file", source.token_file,
                  "Bearer token; by default $GEOTALLY_TOKEN, then http.token_file")
      ->type_name("FILE");
  command.add_option("--config", inputs.file, "TOML file of the daemon")->type_name("FILE");
}

void add_questions(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen) {
  const auto add = [&](const char* name, const char* help,
                       std::initializer_list<std::pair<const char*, const char*>> parameters) {
    CLI::App* command = app.add_subcommand(name, help);
    const auto question = std::make_shared<Question>();
    question->name = name;
    add_source(*command, inputs, question->source);
    for (const auto& [parameter, meaning] : parameters) {
      std::string flag = std::string("--") + parameter;
      std::replace(flag.begin(), flag.end(), '_', '-');
      command->add_option_function<std::string>(
          flag,
          [question, parameter = std::string(parameter)](const std::string& value) {
            question->parameters.emplace_back(parameter, value);
          },
          meaning);
    }
    command->add_flag("--json", question->json, "As /api/v1 answers it");
    command->add_flag("--csv", question->csv, "Comma-separated values");
    command->add_flag("--flags", question->flags, "Flags before the countries' names");
    command
        ->add_option("--watch", question->watch_s,
                     "Ask again every so many seconds (2 if not said)")
        ->expected(0, 1)
        ->default_str("2")
        ->check(CLI::Range(0.1, 86'400.0).description(""))
        ->type_name("SECONDS");
    command->callback([&chosen, &inputs, question] {
      chosen = [&inputs, question] { return show(inputs, *question); };
    });
    return std::pair(command, question);
  };
  add("rankings", "Who is first, and where is everybody else",
      {{"by", "accounts, posts, active, active_share, engaged, growth, posts_per_million"},
       {"of", "What grows (by=growth): accounts, posts, active, active_share, engaged"},
       {"window", "24h, 7d, ... as the daemon has them"},
       {"region", "UN M49: 150 = Europe"},
       {"limit", "How many countries"},
       {"min_accounts", "Leave countries with fewer accounts out"},
       {"at", "YYYY-MM-DD: as it stood at the end of that day"},
       {"from", "YYYY-MM-DD (by=growth): from the end of that day"}});
  add("cities", "Which cities the accounts are in, as far as their profiles say",
      {{"by", "accounts, posts"},
       {"country", "ISO 3166-1 alpha-2; by default all"},
       {"limit", "How many cities"},
       {"min_accounts", "Leave cities with fewer accounts out"}});
  const auto [country, question] = add("country", "Everything about one country", {});
  country->add_option("code", question->country, "ISO 3166-1 alpha-2: FR")->required();
  add("history", "Day by day",
      {{"country", "ISO 3166-1 alpha-2; by default the whole network"},
       {"from", "YYYY-MM-DD"},
       {"to", "YYYY-MM-DD"}});
  add("gaps", "What was missed of the feed, the newest first", {{"limit", "How many"}});
  add("status", "How the daemon is", {});
}

}  // namespace geotally
