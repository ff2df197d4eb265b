// Leaves in a store what no daemon writes: `store_spoil DIR cursor` a position that does not parse,
// `store_spoil DIR totals` countries without accounts, whose accounts are all there.
#include <cstdio>
#include <string>
#include <string_view>

#include <rocksdb/db.h>

#include "store/codec.h"
#include "store/store.h"
#include "tally/totals.h"

int main(int argc, char** argv) {
  using namespace geotally;
  if (argc != 3) return 64;
  const std::string_view what = argv[2];
  store::Options options;
  options.directory = argv[1];
  options.create = false;
  const auto store = store::Store::open(options);
  if (what == "cursor") {
    store::Commit commit;
    commit.record = store->last_commit();
    ++commit.record.number;
    commit.record.cursor = "neither here nor there";
    store->commit(commit);
    return 0;
  }
  if (what == "totals") {
    std::string none;
    store::encode_countries(store::CountryTotalsArray{}, none);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    return store->database().Put(synced, "countries", none).ok() ? 0 : 1;
  }
  std::fprintf(stderr, "store_spoil: %s?\n", argv[2]);
  return 64;
}
