// docs/pod-spec.md says of each field of the schema what the cases show of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "node/pod_fields/field_cases.h"
#include "node/pod_fields/schema.h"

namespace podium::node::pod_fields {
namespace {

constexpr std::string_view kBegin = "<!-- The rest is written by this page's test. -->\n";

std::filesystem::path Source() { return std::filesystem::path(PODIUM_SOURCE_DIR); }

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

struct Row {
  std::string state;
  std::string shows;
};

class Table {
 public:
  Table() {
    for (const FieldCase& each : AllCases()) {
      Once(each.field);
      const std::string test = "`PodFields.Works/" + CaseName(each) + "`";
      for (const std::string& row : RowsOnTheWay(PodToRun(each), each.field)) {
        rows_.try_emplace(row, Row{"works", test});
      }
      rows_[each.field].shows = test;
    }
    for (const RefusedCase& each : RefusedCases()) {
      Once(each.field);
      const std::string quote = each.error.contains('`') ? "``" : "`";
      const std::string space = each.error.contains('`') ? " " : "";
      Add(each.field, {"refused", quote + space + each.error + space + quote});
    }
    for (const UnmovedCase& each : UnmovedCases()) {
      Once(each.field);
      Add(each.field,
          {"elsewhere", each.why + "; changes nothing here (`UnmovedPodFields.ChangeNothing/" +
                            CaseName(each) + "`)" + More(each.test)});
    }
    for (const auto& [row, test] : MoreTests()) {
      const auto found = rows_.find(row);
      if (found == rows_.end()) {
        ADD_FAILURE() << test << " is for no row: " << row;
      } else {
        found->second.shows += More(test);
      }
    }
  }

  const std::map<std::string, Row>& rows() const { return rows_; }
  bool Works(const std::string& row) const {
    const auto found = rows_.find(row);
    return found != rows_.end() && found->second.state == "works";
  }

 private:
  static std::string More(const std::string& test) {
    return test.empty() ? "" : ", `" + test + "`";
  }
  void Once(const std::string& field) {
    EXPECT_TRUE(fields_.insert(field).second) << "two cases of " << field;
  }
  void Add(const std::string& field, Row row) {
    EXPECT_TRUE(rows_.emplace(field, std::move(row)).second) << field << " works, too";
  }

  std::map<std::string, Row> rows_;
  std::set<std::string> fields_;
};

std::string Render(const Table& table) {
  std::string out;
  std::string section;
  std::set<std::string> listed;
  const auto list = [&](const std::string& row) {
    const std::string type = row.substr(0, row.find('.'));
    if (std::exchange(section, type) != type) {
      out +=
          "\n## " + type + "\n\n| field | state | shown by, or what a user gets |\n|---|---|---|\n";
    }
    EXPECT_TRUE(listed.insert(row).second) << row << " is listed twice";
    const auto found = table.rows().find(row);
    if (found == table.rows().end()) {
      ADD_FAILURE() << row << " has no case: nobody knows whether it does anything";
      return;
    }
    out += "| " + row.substr(type.size() + 1) + " | " + found->second.state + " | " +
           found->second.shows + " |\n";
  };
  for (const std::string& row : RowsOf([&](const std::string& row) { return table.Works(row); })) {
    list(row);
  }
  // Of its metadata, what an agent acts on.
  for (const auto& [row, unused] : table.rows()) {
    if (row.starts_with("ObjectMeta.")) list(row);
  }
  for (const auto& [row, unused] : table.rows()) {
    EXPECT_TRUE(listed.contains(row)) << "there is no such field: " << row;
  }
  return out;
}

// PODIUM_ACCEPT=1 writes it.
TEST(PodSpecTable, SaysWhatTheCasesShow) {
  const std::filesystem::path path = Source() / "docs/pod-spec.md";
  const std::string text = TextOf(path);
  const size_t begin = text.find(kBegin);
  ASSERT_NE(begin, std::string::npos);
  const std::string prose = text.substr(0, begin + kBegin.size());
  const std::string rendered = Render(Table());
  if (std::getenv("PODIUM_ACCEPT")) {  // NOLINT(concurrency-mt-unsafe): nothing sets
    std::ofstream(path) << prose << rendered;
  } else {
    EXPECT_EQ(text.substr(prose.size()), rendered);
  }
}

// "Suite.Name", "tests/e2e/file_test.py test_name".
bool Exists(const std::string& test) {
  const size_t space = test.find(' ');
  if (space != std::string::npos) {
    return TextOf(Source() / test.substr(0, space)).contains("def " + test.substr(space + 1) + "(");
  }
  const std::string head =
      "(" + test.substr(0, test.find('.')) + ", " + test.substr(test.find('.') + 1) + ")";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Source() / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    if (TextOf(entry.path()).contains("TEST" + head) ||
        TextOf(entry.path()).contains("TEST_F" + head)) {
      return true;
    }
  }
  return false;
}

TEST(PodSpecTable, NamesTestsThatThereAre) {
  std::set<std::string> tests;
  for (const auto& [row, test] : MoreTests()) tests.insert(test);
  for (const UnmovedCase& each : UnmovedCases()) {
    if (!each.test.empty()) tests.insert(each.test);
  }
  EXPECT_FALSE(Exists("PodSpecTable.NoSuchTest"));
  for (const std::string& test : tests) EXPECT_TRUE(Exists(test)) << test;
}

}  // namespace
}  // namespace podium::node::pod_fields
