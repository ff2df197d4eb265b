// A file of accounts says which of them it removes.
//
// RocksDB's readers of single files hide removals, so that an older file would bring the account
// back. The keys lie with the file's properties; they are few.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tally/sample.h"

namespace rocksdb {
class TablePropertiesCollectorFactory;
struct TableProperties;
}  // namespace rocksdb

namespace geotally::store {

/// Writes them into every file that RocksDB or SstFileWriter makes with it.
[[nodiscard]] std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> forgotten_keys_collector();

/// Those of a file, in no order. Nothing = it has some and does not name them.
[[nodiscard]] std::optional<std::vector<tally::AccountKey>> forgotten_keys(
    const rocksdb::TableProperties& properties);

}  // namespace geotally::store
