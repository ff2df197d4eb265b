// An ordinary main for fuzz targets: runs every file of a corpus, whole, cut at some places, and
// with some bytes changed by a fixed rule, so that ctest needs no fuzzer.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "target.h"

namespace {

void run(const std::string& bytes) {
  // Of exactly this size, so that a sanitizer sees a read past the end.
  const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
  (void)LLVMFuzzerTestOneInput(data.data(), data.size());
}

void run_and_vary(const std::string& bytes) {
  constexpr std::size_t kCuts = 64;
  constexpr int kChanges = 200;
  run(bytes);
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / kCuts);
  for (std::size_t size = 0; size < bytes.size(); size += step) run(bytes.substr(0, size));
  if (bytes.empty()) return;
  std::mt19937_64 random(bytes.size());
  for (int i = 0; i < kChanges; ++i) {
    std::string changed = bytes;
    for (std::uint64_t left = 1 + random() % 4; left > 0; --left) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry);
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file && !file.eof()) return 1;
    run_and_vary(bytes);
  }
  std::printf("%zu files\n", files.size());
  return files.empty() ? 1 : 0;
}
