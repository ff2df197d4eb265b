// Format 1 as it was written, frozen: the encoders of the last program that wrote it, and a store
// made with them. Rows, cities, gaps and the base have the same bytes in format 2; they are frozen
// here too, so that no change of an encoder changes what tests take for an old store.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/codec.h"
#include "store/store.h"

namespace geotally::store::format1 {

void encode_account(const AccountRecord& record, std::string& out);
void encode_row(tally::RowKind kind, const tally::Row& row, std::string& out);
void encode_countries(const CountryTotalsArray& countries, std::string& out);
void encode_closing(const std::vector<tally::DayClosing>& closing, std::int64_t gap_us,
                    std::string& out);
void encode_commit(const CommitRecord& commit, std::string& out);

/// Whether these bytes, which decode, are what format 1 wrote.
[[nodiscard]] bool is_account(std::string_view bytes);
[[nodiscard]] bool is_countries(std::string_view bytes);
[[nodiscard]] bool is_closing(std::string_view bytes);
[[nodiscard]] bool is_commit(std::string_view bytes);

struct Contents {
  std::uint64_t seed = 0x1122334455667788;
  CommitRecord commit;
  const tally::Totals* totals = nullptr;
  std::map<tally::AccountKey, AccountRecord> accounts;
  std::vector<DayClosed> days;
  std::vector<Gap> gaps;
  std::vector<Due> due;
};

/// Makes the directory and in it a store as that program left it. Aborts when RocksDB refuses.
void write(const std::string& directory, const Contents& contents);

}  // namespace geotally::store::format1
