// Fills a Config: defaults < TOML file < environment < command line.
//
// Start-up and reload only: problems are collected, all of them, and thrown as
// one ConfigError. Thread-safe: no shared state. Reads the file, nothing else.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace geotally::config {

/// What a configuration is made of. Nothing is read from the process itself, so
/// a reload sees what the start saw.
struct Inputs {
  std::optional<std::string> file = {};  ///< path of a TOML file
  /// "NAME=value", the whole environment of the process; only GEOTALLY_SECTION__KEY,
  /// STATE_DIRECTORY and CREDENTIALS_DIRECTORY are looked at.
  std::vector<std::string> environment = {};
  /// "section.key=value", later ones win. Flags such as --listen come in this way too.
  std::vector<std::string> settings = {};
};
/// The environment of this process, for Inputs.
[[nodiscard]] std::vector<std::string> process_environment();

/// One mistake, and what would be right.
struct Problem {
  std::string where;       ///< path of the file, name of the variable, or "--set"
  std::uint32_t line = 0;  ///< 0 = not in a file
  std::uint32_t column = 0;
  std::string key;  ///< "feed.quiet_s"; empty where there is none (syntax)
  std::string message;

  /// "FILE:LINE:COLUMN: KEY: MESSAGE", one line.
  [[nodiscard]] std::string to_string() const;
};

/// what(): every problem, one a line. main turns it into exit code 78.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<Problem> problems);
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

struct Loaded {
  Config config;
  /// Key → where its value comes from ("FILE:LINE", a variable, "--set"); defaults are not in it.
  std::map<std::string, std::string, std::less<>> origins;
};

/// Throws ConfigError.
[[nodiscard]] Loaded load(const Inputs& inputs);

/// What `run` needs beyond a valid configuration (a feed); throws ConfigError.
void require_runnable(const Config& config);

/// The whole configuration as TOML, each key with its origin as a comment: what
/// check-config prints. Loading it again gives an equal Config.
[[nodiscard]] std::string to_toml(const Loaded& loaded);

/// A key whose value differs between two configurations.
struct Change {
  std::string key;
  std::string from;  ///< as TOML
  std::string to;
  bool reloadable = false;  ///< false: takes a restart
};
[[nodiscard]] std::vector<Change> diff(const Config& from, const Config& to);

/// `running` with every reloadable key taken from `next`, and no other.
[[nodiscard]] Config reloaded(const Config& running, const Config& next);

}  // namespace geotally::config
