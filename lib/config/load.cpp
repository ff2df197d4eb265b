#include "config/load.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "config/keys.h"
#include "config/values.h"

namespace geotally::config {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::string_view kPrefix = "GEOTALLY_";

/// A value is on its way from `where`, perhaps with a place in a file.
struct Origin {
  std::string where;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  [[nodiscard]] Origin at(const toml::source_region& region) const {
    return {where, region.begin.line, region.begin.column};
  }
};

class Loader {
 public:
  void file(const std::string& path);  // first: it puts the problems in the file's order
  void environment(const std::vector<std::string>& variables);
  void settings(const std::vector<std::string>& settings);
  /// Rules that hold between keys; once everything is read.
  void check_together();

  std::vector<Problem> problems;
  Loaded loaded;

  void default_from(std::string_view key, std::string value, std::string where);

 private:
  void section(std::string_view name, const toml::table& table, const Origin& origin);
  void assign(const Key& key, const toml::node& value, const Origin& origin);
  void assign_text(const Key& key, std::string_view text, const Origin& origin);
  std::string assign_value(const Key& key, const toml::node& value, Origin& origin);
  template <class Add>
  std::string assign_list(const Key& key, const toml::node& value, Origin& origin, Add add);
  void problem(const Origin& origin, std::string_view key, std::string message) {
    problems.push_back({origin.where, origin.line, origin.column, std::string(key), message});
  }
  [[nodiscard]] Origin origin_of(std::string_view key) const {
    const auto found = origins_.find(key);
    return found == origins_.end() ? Origin{"default"} : found->second;
  }

  std::map<std::string, Origin, std::less<>> origins_;
};

std::string sections_known() {
  std::string out;
  std::string_view last;
  for (const Key& key : keys()) {
    const std::string_view name = key.name.substr(0, key.name.find('.'));
    if (name != last) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
    last = name;
  }
  return out;
}

/// What may stand where `name` ("section.key") stood.
std::string unknown_key(std::string_view name) {
  const std::string prefix = std::string(name.substr(0, name.find('.'))) + ".";
  std::string siblings;
  for (const Key& key : keys()) {
    if (!key.name.starts_with(prefix)) continue;
    siblings += fmt::format("{}{}", siblings.empty() ? "" : ", ", key.name.substr(prefix.size()));
  }
  if (siblings.empty()) return "unknown section; there are: " + sections_known();
  return fmt::format("unknown key; {} has: {}", prefix.substr(0, prefix.size() - 1), siblings);
}

/// "must be integer, 0 to 86400 s".
std::string expected(const Key& key) {
  const std::string range = allowed(key);
  return fmt::format("must be {}{}{}", type_name(key), range.empty() ? "" : ", ", range);
}

void Loader::file(const std::string& path) {
  const Origin origin{path};
  std::ifstream stream(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad()) return problem(origin, "", "cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) return problem(origin, "", "is longer than 1 MiB");

  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return problem(origin.at(error.source()), "", std::string(error.description()));
  }
  for (const auto& [name, node] : root) {
    if (const toml::table* table = node.as_table()) {
      section(name.str(), *table, origin);
    } else {
      problem(origin.at(name.source()), name.str(),
              "is not in a section; there are: " + sections_known());
    }
  }
  // Tables are sorted by name; people read from the top.
  std::ranges::stable_sort(
      problems, {}, [](const Problem& problem) { return std::pair(problem.line, problem.column); });
}

void Loader::section(std::string_view name, const toml::table& table, const Origin& origin) {
  const std::string prefix = std::string(name) + ".";
  const auto table_keys = keys();
  if (std::ranges::none_of(table_keys,
                           [&](const Key& key) { return key.name.starts_with(prefix); })) {
    return problem(origin.at(table.source()), name,
                   "unknown section; there are: " + sections_known());
  }
  for (const auto& [key_name, node] : table) {
    const std::string full = prefix + std::string(key_name.str());
    if (const Key* key = find_key(full)) {
      assign(*key, node, origin.at(node.source()));
    } else {
      problem(origin.at(key_name.source()), full, unknown_key(full));
    }
  }
}

void Loader::environment(const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const std::string_view whole = variable;
    const std::size_t equals = whole.find('=');
    if (equals == std::string_view::npos || !whole.starts_with(kPrefix)) continue;
    const std::string_view name = whole.substr(0, equals);
    const std::string_view value = whole.substr(equals + 1);
    const Origin origin{std::string(name)};

    const Key* found = nullptr;
    for (const Key& key : keys()) {
      const std::string expected_name = variable_name(key);
      if (name == expected_name) found = &key;
      // GEOTALLY_FEED_URLS: without the second underscore it would be ignored in silence.
      std::string single = expected_name;
      single.replace(single.find("__"), 2, "_");
      if (name == single) problem(origin, key.name, "is written " + expected_name);
    }
    if (found != nullptr) {
      assign_text(*found, value, origin);
    } else if (name.find("__") != std::string_view::npos) {
      // Others may own variables with our prefix (a container's service links do); with the
      // double underscore it is one of ours, misspelt.
      std::string key;
      for (const char c : name.substr(kPrefix.size())) {
        key += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      }
      key.replace(key.find("__"), 2, ".");
      problem(origin, key, unknown_key(key));
    }
  }
}

void Loader::settings(const std::vector<std::string>& settings) {
  const Origin origin{"--set"};
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    if (equals == std::string::npos) {
      problem(origin, "", "must be SECTION.KEY=VALUE");
    } else if (const Key* key = find_key(name)) {
      assign_text(*key, std::string_view(setting).substr(equals + 1), origin);
    } else {
      problem(origin, name, unknown_key(name));
    }
  }
}

void Loader::default_from(std::string_view key, std::string value, std::string where) {
  assign_text(*find_key(key), value, Origin{std::move(where)});
}

/// Text from outside a file becomes the TOML value that it would have been in one: strings
/// need no quotes, lists may be separated by commas.
void Loader::assign_text(const Key& key, std::string_view text, const Origin& origin) {
  const bool list = std::holds_alternative<std::vector<std::string>& (*)(Config&)>(key.field) ||
                    std::holds_alternative<std::vector<WindowLength>& (*)(Config&)>(key.field);
  const bool number = std::holds_alternative<std::int64_t& (*)(Config&)>(key.field) ||
                      std::holds_alternative<double& (*)(Config&)>(key.field);
  if (number || (list && text.starts_with('['))) {
    toml::table parsed;
    // A line break would let further keys in.
    if (text.find_first_of("\r\n") != std::string_view::npos) {
      return problem(origin, key.name, expected(key));
    }
    try {
      parsed = toml::parse("value = " + std::string(text));
    } catch (const toml::parse_error&) {
      return problem(origin, key.name, expected(key));
    }
    return assign(key, *parsed.get("value"), origin);
  }
  if (!list) return assign(key, toml::value<std::string>(std::string(text)), origin);
  toml::array entries;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    std::string_view entry = text.substr(begin, comma - begin);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    entries.push_back(std::string(entry));
    begin = comma + 1;
  }
  assign(key, entries, origin);
}

void Loader::assign(const Key& key, const toml::node& value, const Origin& origin) {
  Origin place = origin;
  std::string wrong = assign_value(key, value, place);
  if (!wrong.empty()) return problem(place, key.name, std::move(wrong));
  loaded.origins[std::string(key.name)] =
      origin.line == 0 ? origin.where : fmt::format("{}:{}", origin.where, origin.line);
  origins_[std::string(key.name)] = origin;
}

/// Reads every entry before any is kept. `add` returns what is wrong with an entry, or "".
template <class Add>
std::string Loader::assign_list(const Key& key, const toml::node& value, Origin& origin, Add add) {
  const toml::array* entries = value.as_array();
  if (entries == nullptr || static_cast<double>(entries->size()) < key.min ||
      static_cast<double>(entries->size()) > key.max) {
    return expected(key);
  }
  for (const toml::node& entry : *entries) {
    const auto text = entry.value_exact<std::string>();
    std::string wrong = text ? add(*text) : expected(key);
    if (wrong.empty()) continue;
    if (origin.line != 0) origin = origin.at(entry.source());
    return wrong;
  }
  return "";
}

/// Returns what is wrong, or "". On a list's entry, `origin` becomes the entry's place.
std::string Loader::assign_value(const Key& key, const toml::node& value, Origin& origin) {
  Config& config = loaded.config;
  if (const auto* member = std::get_if<std::int64_t& (*)(Config&)>(&key.field)) {
    const auto number = value.value_exact<std::int64_t>();
    if (!number || static_cast<double>(*number) < key.min ||
        static_cast<double>(*number) > key.max) {
      return expected(key);
    }
    (*member)(config) = *number;
    return "";
  }
  if (const auto* member = std::get_if<double& (*)(Config&)>(&key.field)) {
    const auto number = value.value<double>();  // an integer is a number too
    if (!value.is_number() || !number || !(*number >= key.min && *number <= key.max)) {
      return expected(key);
    }
    (*member)(config) = *number;
    return "";
  }
  if (const auto* member = std::get_if<std::vector<std::string>& (*)(Config&)>(&key.field)) {
    std::vector<std::string> entries;
    std::string wrong = assign_list(key, value, origin, [&](const std::string& text) {
      std::string complaint = key.check == nullptr ? "" : key.check(text);
      if (complaint.empty() && std::ranges::find(entries, text) != entries.end()) {
        complaint = "must not name the same twice";
      }
      entries.push_back(text);
      return complaint;
    });
    if (wrong.empty()) (*member)(config) = std::move(entries);
    return wrong;
  }
  if (const auto* member = std::get_if<std::vector<WindowLength>& (*)(Config&)>(&key.field)) {
    std::vector<WindowLength> windows;
    std::string wrong = assign_list(key, value, origin, [&](const std::string& text) {
      const auto window = parse_window(text);
      if (!window) {
        return std::string(
            "each must be a number and s, m, h or d: whole seconds up to 15m, whole minutes up to "
            "24h, whole hours up to 90d");
      }
      if (std::ranges::find(windows, window->seconds, &WindowLength::seconds) != windows.end()) {
        return std::string("must not name the same length twice");
      }
      windows.push_back(*window);
      return std::string();
    });
    std::ranges::sort(windows, {}, &WindowLength::seconds);
    if (wrong.empty()) (*member)(config) = std::move(windows);
    return wrong;
  }

  if (const auto* member = std::get_if<Start& (*)(Config&)>(&key.field)) {
    std::string text;
    if (const auto time = value.value_exact<toml::date_time>()) {
      std::ostringstream out;  // TOML has times of its own; they read the same
      out << *time;
      text = out.str();
    } else if (const auto string = value.value_exact<std::string>()) {
      text = *string;
    }
    const auto start = parse_start(text);
    if (!start) return expected(key);
    (*member)(config) = *start;
    return "";
  }

  const auto text = value.value_exact<std::string>();
  if (!text) return expected(key);
  if (const auto* member = std::get_if<std::string& (*)(Config&)>(&key.field)) {
    if (key.check != nullptr) {
      if (std::string wrong = key.check(*text); !wrong.empty()) return wrong;
    }
    (*member)(config) = *text;
  } else if (const auto* field = std::get_if<ChoiceField>(&key.field)) {
    const auto found = std::ranges::find(key.choices, *text);
    if (found == key.choices.end()) return expected(key);
    field->set(config, static_cast<std::size_t>(found - key.choices.begin()));
  } else if (const auto* endpoint_member = std::get_if<Endpoint& (*)(Config&)>(&key.field)) {
    const auto endpoint = parse_endpoint(*text);
    if (!endpoint) return expected(key);
    (*endpoint_member)(config) = *endpoint;
  }
  return "";
}

void Loader::check_together() {
  const Config& config = loaded.config;
  if (config.feed.margin_s < config.tally.fence_horizon_s) {
    problem(origin_of("feed.margin_s"), "feed.margin_s",
            fmt::format("must be at least tally.fence_horizon_s, which is {}",
                        config.tally.fence_horizon_s));
  }
  if (config.feed.zstd == Switch::kOn && config.feed.wire == Wire::kJetstreamV1 &&
      config.feed.zstd_dictionary.empty()) {
    problem(origin_of("feed.zstd"), "feed.zstd",
            "with jetstream-v1 needs feed.zstd_dictionary, the file with the host's dictionary");
  }
  if (!is_loopback(config.http.listen) && config.http.token_file.empty()) {
    problem(origin_of("http.listen"), "http.listen",
            "is not a loopback address and so needs http.token_file");
  }
}

/// The value of `name`; nothing if not set or empty.
std::optional<std::string> variable(const std::vector<std::string>& environment,
                                    std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.size() > name.size() + 1 && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::string lines_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += (out.empty() ? "" : "\n") + problem.to_string();
  return out;
}

}  // namespace

std::vector<std::string> process_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    out.emplace_back(*entry);
  return out;
}

std::string Problem::to_string() const {
  std::string out = where;
  if (line != 0) out += fmt::format(":{}:{}", line, column);
  if (!key.empty()) out += ": " + key;
  return out + ": " + message;
}

ConfigError::ConfigError(std::vector<Problem> problems)
    : std::runtime_error(lines_of(problems)), problems_(std::move(problems)) {}

Loaded load(const Inputs& inputs) {
  Loader loader;
  if (const auto directories = variable(inputs.environment, "STATE_DIRECTORY")) {
    // systemd joins several with colons; the first is the unit's own.
    loader.default_from("store.data_dir", directories->substr(0, directories->find(':')),
                        "STATE_DIRECTORY");
  }
  if (const auto directory = variable(inputs.environment, "CREDENTIALS_DIRECTORY")) {
    for (const auto& [key, name] : {std::pair{"feed.token_file", "/feed-token"},
                                    std::pair{"http.token_file", "/http-token"}}) {
      std::error_code ignored;
      if (std::filesystem::exists(*directory + name, ignored)) {
        loader.default_from(key, *directory + name, "CREDENTIALS_DIRECTORY");
      }
    }
  }
  if (inputs.file) loader.file(*inputs.file);
  loader.environment(inputs.environment);
  loader.settings(inputs.settings);
  // Between keys that could not be read there is nothing to compare.
  if (loader.problems.empty()) loader.check_together();
  if (!loader.problems.empty()) {
    throw ConfigError(std::move(loader.problems));
  }
  return std::move(loader.loaded);
}

void require_runnable(const Config& config) {
  if (!config.feed.urls.empty()) return;
  throw ConfigError({Problem{"default", 0, 0, "feed.urls",
                             "names no feed: give a full URL in the file, in GEOTALLY_FEED__URLS "
                             "or with --feed"}});
}

std::string to_toml(const Loaded& loaded) {
  std::string out;
  std::string_view section;
  for (const Key& key : keys()) {
    const std::string_view its_section = key.name.substr(0, key.name.find('.'));
    if (its_section != section) {
      out += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
      section = its_section;
    }
    const auto origin = loaded.origins.find(key.name);
    out += fmt::format("{} = {}  # {}\n", key.name.substr(section.size() + 1),
                       value_text(key, loaded.config),
                       origin == loaded.origins.end() ? "default" : origin->second);
  }
  return out;
}

std::vector<Change> diff(const Config& from, const Config& to) {
  std::vector<Change> changes;
  for (const Key& key : keys()) {
    std::string before = value_text(key, from);
    std::string after = value_text(key, to);
    if (before == after) continue;
    changes.push_back(
        {std::string(key.name), std::move(before), std::move(after), key.takes == Takes::kReload});
  }
  return changes;
}

Config reloaded(const Config& running, const Config& next) {
  Config result = running;
  Config source = next;
  for (const Key& key : keys()) {
    if (key.takes != Takes::kReload) continue;
    std::visit(
        [&](const auto& field) {
          if constexpr (std::is_same_v<std::decay_t<decltype(field)>, ChoiceField>) {
            field.set(result, field.get(source));
          } else {
            field(result) = field(source);
          }
        },
        key.field);
  }
  return result;
}

}  // namespace geotally::config
