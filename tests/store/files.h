// What tests do with the files of a store.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace geotally::store {

inline std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Those whose name has `part` in it, by name.
inline std::vector<std::filesystem::path> files(const std::string& directory,
                                                std::string_view part) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().find(part) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Names and contents, in all folders; RocksDB's own log of messages only when asked for.
inline std::map<std::string, std::string> contents(const std::string& directory,
                                                   bool messages = false) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::filesystem::path& path = entry.path();
    if (!entry.is_regular_file()) continue;
    if (!messages && path.filename().string().starts_with("LOG")) continue;
    all[path.lexically_relative(directory).string()] = read(path);
  }
  return all;
}

}  // namespace geotally::store
