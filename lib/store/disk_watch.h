// Who hears of what RocksDB meets outside of a commit.
#pragma once

#include <functional>
#include <string_view>

namespace geotally::store {

/// Called on any of RocksDB's threads, which wait meanwhile: must not block, nor call the store.
struct DiskWatch {
  std::function<void(std::string_view error)> on_error;        ///< a flush or a merge failed
  std::function<void(std::string_view reason)> on_write_stop;  ///< commits wait for merges
};

}  // namespace geotally::store
