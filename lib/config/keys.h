// The table of keys: the one place from which parsing, check-config's output,
// error messages and the man page's table come.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace geotally::config {

/// A closed choice: which of `choices` the member holds.
struct ChoiceField {
  std::size_t (*get)(const Config&);
  void (*set)(Config&, std::size_t);
};

/// The member that a key fills. The alternative is also the key's type.
using Field =
    std::variant<std::int64_t& (*)(Config&), double& (*)(Config&), std::string& (*)(Config&),
                 std::vector<std::string>& (*)(Config&), ChoiceField, Start& (*)(Config&),
                 std::vector<WindowLength>& (*)(Config&), Endpoint& (*)(Config&)>;

enum class Takes : std::uint8_t { kReload, kRestart };

struct Key {
  std::string_view name;  ///< "section.key"
  Field field;
  Takes takes = Takes::kRestart;
  std::string_view doc;        ///< one line
  std::string_view unit = {};  ///< "s", "bytes", …; empty = none
  double min = 0;  ///< numbers: smallest and largest allowed; lists: fewest and most entries
  double max = 0;
  std::vector<std::string_view> choices = {};  ///< ChoiceField only, in the order of its enum
  /// Strings and entries of lists: nullptr, or says what is wrong ("" = nothing).
  std::string (*check)(std::string_view) = nullptr;
};

/// In the order of the manual: by section, as Config has them.
[[nodiscard]] std::span<const Key> keys();
/// nullptr = no such key.
[[nodiscard]] const Key* find_key(std::string_view name);

/// "integer", "list of strings", "jetstream-v1 | jetstream-v2", …
[[nodiscard]] std::string type_name(const Key& key);
/// "1 to 3600 s", "at most 100 entries"; empty = anything of its type.
[[nodiscard]] std::string allowed(const Key& key);
/// The value that `config` has under `key`, as TOML.
[[nodiscard]] std::string value_text(const Key& key, const Config& config);
/// The key as the environment has it: "GEOTALLY_FEED__QUIET_S".
[[nodiscard]] std::string variable_name(const Key& key);
/// One entry a key for geotally.toml(5), as scdoc source: name, default, type, range,
/// what it is for, reload or restart.
[[nodiscard]] std::string manual_entries();

}  // namespace geotally::config
