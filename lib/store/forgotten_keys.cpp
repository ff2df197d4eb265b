#include "store/forgotten_keys.h"

#include <string>
#include <utility>

#include <rocksdb/table_properties.h>

#include "store/codec.h"

namespace geotally::store {
namespace {

constexpr const char* kProperty = "geotally.forgotten";
constexpr std::size_t kKeyBytes = 8;

// Nothing here throws but for want of memory, which RocksDB does not survive either.
class Collector final : public rocksdb::TablePropertiesCollector {
 public:
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& /*value*/,
                             rocksdb::EntryType type, rocksdb::SequenceNumber /*number*/,
                             std::uint64_t /*file_size*/) override {
    if (type == rocksdb::kEntryDelete) keys_.append(key.data(), key.size());
    return rocksdb::Status::OK();
  }

  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    if (!keys_.empty()) properties->emplace(kProperty, keys_);
    return rocksdb::Status::OK();
  }

  [[nodiscard]] rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {};
  }
  [[nodiscard]] const char* Name() const override { return kProperty; }

 private:
  std::string keys_;
};

class Factory final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context /*context*/) override {
    return std::make_unique<Collector>().release();  // RocksDB deletes it
  }
  [[nodiscard]] const char* Name() const override { return kProperty; }
};

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> forgotten_keys_collector() {
  return std::make_shared<Factory>();
}

std::optional<std::vector<tally::AccountKey>> forgotten_keys(
    const rocksdb::TableProperties& properties) {
  std::vector<tally::AccountKey> keys;
  const auto found = properties.user_collected_properties.find(kProperty);
  if (found != properties.user_collected_properties.end()) {
    std::string_view bytes = found->second;
    for (; bytes.size() >= kKeyBytes; bytes.remove_prefix(kKeyBytes)) {
      if (!parse_account_key(bytes.substr(0, kKeyBytes), keys.emplace_back())) return std::nullopt;
    }
  }
  if (keys.size() != properties.num_deletions || properties.num_range_deletions != 0) {
    return std::nullopt;
  }
  return keys;
}

}  // namespace geotally::store
