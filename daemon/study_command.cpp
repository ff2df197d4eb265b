#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "daemon/exit_code.h"
#include "daemon/show.h"
#include "study/study.h"

namespace geotally {
namespace {

int write_study(const config::Inputs& inputs, const SourceOptions& source,
                const study::Options& options) {
  const study::Study study = study::write(make_source(inputs, source), options);
  if (study.code != 200) {
    fmt::print(stderr, "geotally: {}\n", study.error);
    return exit_code_of({study.code, study.error, nullptr});
  }
  fmt::print("{}", study.document);
  return std::fflush(stdout) == 0 ? kExitOk : kExitIo;
}

}  // namespace

void add_study(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen) {
  struct Arguments {
    SourceOptions source;
    study::Options options;
    std::string format = "md";
    std::string language = "en";
  };
  const auto arguments = std::make_shared<Arguments>();
  study::Options& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("study", "A period as one document: ranks, activity, growth, method");
  add_source(*command, inputs, arguments->source);
  command->add_option("--from", options.from, "YYYY-MM-DD: figures at the end of that day")
      ->required();
  command->add_option("--to", options.to, "YYYY-MM-DD; by default the newest day that is over");
  command->add_option("--format", arguments->format, "md or html")
      ->check(CLI::IsMember({"md", "html"}).description(""))
      ->capture_default_str();
  command->add_option("--lang", arguments->language, "en or fr")
      ->check(CLI::IsMember({"en", "fr"}).description(""))
      ->capture_default_str();
  command->add_option("--country", options.country, "The country that is looked at closely")
      ->capture_default_str();
  command->add_option("--region", options.region, "UN M49; by default the country's own");
  command->add_option("--window", options.window, "Active means: posted within 24h, 7d, 30d, 90d")
      ->capture_default_str();
  command->add_option("--limit", options.limit, "Rows of the tables")->capture_default_str();
  command->add_option("--min-accounts", options.min_accounts,
                      "Fewer take no part in shares and growth; by default a thousandth of all, "
                      "from 100 to 1000");
  command->callback([&chosen, &inputs, arguments] {
    chosen = [&inputs, arguments] {
      if (arguments->format == "html") arguments->options.format = study::Format::kHtml;
      if (arguments->language == "fr") arguments->options.language = study::Language::kFrench;
      return write_study(inputs, arguments->source, arguments->options);
    };
  });
}

}  // namespace geotally
