// Goal: messages become the JSON and CSV that readers rely on, to the byte; what protobuf itself
// reads back is the same message.
#include "http/api/json.h"

#include <limits>

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "geotally/v1/api.pb.h"

namespace geotally::http {
namespace {

TEST(Json, EveryFieldIsPresentAndNumbersAreNumbers) {
  v1::EvidenceFigures evidence;
  EXPECT_EQ(to_json(evidence), R"({"evidence":"","accounts":0,"share":null})");
  evidence.set_evidence("flag");
  evidence.set_accounts(18'446'744'073'709'551'615u);
  evidence.set_share(0.25);
  EXPECT_EQ(to_json(evidence),
            R"({"evidence":"flag","accounts":18446744073709551615,"share":0.25})");
  evidence.set_share(std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(to_json(evidence).find("\"share\":null"), std::string::npos);
}

TEST(Json, ListsAndNestedMessages) {
  v1::Countries countries;
  countries.add_rows()->set_country("FR");
  countries.add_rows()->set_country("DE");
  const std::string row =
      R"(","name":"","name_fr":"","region":"","subregion":"","population":0,"accounts":0,)"
      R"("posts":0,"posts_deleted":0})";
  EXPECT_EQ(to_json(countries),
            R"({"basis":null,"rows":[{"country":"FR)" + row + R"(,{"country":"DE)" + row + "]}");
}

TEST(Json, TextIsEscapedAndInvalidUtf8Replaced) {
  EXPECT_EQ(json_string("a\"b\\c\nd"), R"("a\"b\\c\nd")");
  EXPECT_EQ(json_string("\xff"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(Json, ProtobufReadsItBack) {
  v1::CountryFigures figures;
  figures.mutable_basis()->set_commit(7);
  figures.mutable_basis()->add_coverage()->set_covered_seconds(0.1);
  figures.mutable_country()->set_name("Côte d’Ivoire");
  figures.mutable_accounts_rank()->set_world(3);
  figures.set_accounts(1'234'567'890'123);
  figures.add_windows()->set_posts_share(1e-7);
  v1::CountryFigures read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(to_json(figures), &read).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(figures, read));
}

TEST(Csv, RowsUnderTheirNames) {
  v1::Gaps gaps;
  gaps.mutable_basis()->set_commit(7);  // not part of the table
  EXPECT_EQ(to_csv(gaps), "number,from,to,seconds,cause\r\n");
  v1::GapsRow& row = *gaps.add_rows();
  row.set_number(1);
  row.set_seconds(1.5);
  row.set_cause("odd, \"quoted\"\ncause");
  EXPECT_EQ(to_csv(gaps),
            "number,from,to,seconds,cause\r\n1,,,1.5,\"odd, \"\"quoted\"\"\ncause\"\r\n");
}

TEST(Csv, NestedMessagesAndListsBecomeColumns) {
  v1::History history;
  v1::HistoryRow& row = *history.add_rows();
  row.set_date("2012-07-01");
  row.mutable_engagement()->set_engaged(4);
  row.add_evidence()->set_evidence("flag");
  row.mutable_evidence(0)->set_accounts(9);
  EXPECT_EQ(to_csv(history),
            "date,accounts,accounts_new,posts,posts_deleted,active_24h,active_7d,active_30d,"
            "active_90d,engagement_never,engagement_once,engagement_occasional,engagement_engaged,"
            "evidence_flag_accounts,evidence_flag_share,gap_seconds\r\n"
            "2012-07-01,0,0,0,0,0,0,0,0,0,0,0,4,9,,0\r\n");
}

}  // namespace
}  // namespace geotally::http
