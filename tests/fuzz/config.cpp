// A configuration: the first line is one --set, the second an environment variable, the rest the
// file. It is a Config, or every mistake in it is named; what was read is written and read again.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "config/load.h"
#include "target.h"

namespace {

/// One file for ever: the loader takes a path.
const std::string& file_path() {
  static const std::string path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "geotally-fuzz-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    geotally::fuzz::require(file >= 0);
    ::close(file);
    std::atexit([] { std::remove(file_path().c_str()); });
    return name;
  }();
  return path;
}

void write(std::string_view text) {
  std::ofstream(file_path(), std::ios::binary | std::ios::trunc)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace config = geotally::config;
  geotally::fuzz::Input input(data, size);
  config::Inputs inputs;
  if (const auto setting = input.until('\n'); !setting.empty()) {
    inputs.settings.emplace_back(setting);
  }
  if (const auto variable = input.until('\n'); !variable.empty()) {
    inputs.environment.emplace_back(variable);
  }
  write(input.rest());
  inputs.file = file_path();
  try {
    const config::Loaded loaded = config::load(inputs);
    write(config::to_toml(loaded));
    config::Inputs again;
    again.file = inputs.file;
    geotally::fuzz::require(config::load(again).config == loaded.config);
  } catch (const config::ConfigError& error) {
    geotally::fuzz::require(!error.problems().empty());
  }
  return 0;
}
