// The bytes of a store: the first byte says which kind of record follows. What is taken is what an
// encoder writes, of this format or of format 1, so encoding it again gives the same bytes.
#include <string>

#include "store/codec.h"
#include "store/format1.h"
#include "target.h"

namespace {

// Keys, and the records that came later. False = refused.
bool take_small(int what, std::string_view bytes, std::string& again) {
  namespace store = geotally::store;
  namespace tally = geotally::tally;
  switch (what) {
    case 0: {
      std::uint64_t number = 0;
      if (!store::parse_number_key(bytes, number)) return false;
      again = store::number_key(number);
      return true;
    }
    case 1: {
      tally::AccountKey key{};
      if (!store::parse_account_key(bytes, key)) return false;
      again = store::account_key(key);
      return true;
    }
    case 2: {
      std::uint32_t city = 0;
      if (!store::parse_city_key(bytes, city)) return false;
      again = store::city_key(city);
      return true;
    }
    case 3: {
      tally::CityTotals total;
      if (!store::decode_city(bytes, total)) return false;
      store::encode_city(total, again);
      return true;
    }
    default: {
      store::CounterBase base;
      if (!store::decode_base(bytes, base)) return false;
      store::encode_base(base, again);
      return true;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace store = geotally::store;
  namespace tally = geotally::tally;
  using geotally::fuzz::require;
  geotally::fuzz::Input input(data, size);
  const std::uint8_t what = input.byte();
  const std::string_view bytes = input.rest();
  std::string again;
  switch (what % 8) {
    case 0: {
      store::AccountRecord record;
      if (!store::decode_account(bytes, record)) return 0;
      if (store::format1::is_account(bytes)) {
        store::format1::encode_account(record, again);
      } else {
        store::encode_account(record, again);
      }
      break;
    }
    case 1: {
      tally::RowId id;
      if (!store::parse_row_key(bytes, id)) return 0;
      again = store::row_key(id);
      break;
    }
    case 2: {
      const auto kind = static_cast<tally::RowKind>(what / 8 % tally::kRowKinds);
      tally::Row row;
      if (!store::decode_row(bytes, kind, row)) return 0;
      store::encode_row(kind, row, again);
      break;
    }
    case 3: {
      store::CountryTotalsArray countries;
      if (!store::decode_countries(bytes, countries)) return 0;
      if (store::format1::is_countries(bytes)) {
        store::format1::encode_countries(countries, again);
      } else {
        store::encode_countries(countries, again);
      }
      break;
    }
    case 4: {
      std::vector<tally::DayClosing> closing;
      store::ClosingHead head;
      if (!store::decode_closing(bytes, closing, head)) return 0;
      if (store::format1::is_closing(bytes)) {
        store::format1::encode_closing(closing, head.gap_us, again);
      } else {
        store::encode_closing(closing, head, again);
      }
      break;
    }
    case 5: {
      store::CommitRecord commit;
      if (!store::decode_commit(bytes, commit)) return 0;
      if (store::format1::is_commit(bytes)) {
        store::format1::encode_commit(commit, again);
      } else {
        store::encode_commit(commit, again);
      }
      break;
    }
    case 6: {
      geotally::Gap gap;
      if (!store::decode_gap(bytes, gap)) return 0;
      store::encode_gap(gap, again);
      break;
    }
    default:
      if (!take_small(what / 8 % 5, bytes, again)) return 0;
  }
  require(again == bytes);
  return 0;
}
