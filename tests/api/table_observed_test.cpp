// Columns against those of tables that an API server of release 1.20 answered with
// (tests/testdata/observed/table-columns-1.20.json: name, type, format and priority), and why ours,
// of release 1.36, are others.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/scheme.h"
#include "api/table/table.h"
#include "base/text.h"

namespace podium::api::test {
namespace {

namespace json = boost::json;

// Columns are written as "Name string/name 0".
struct Difference {
  std::string_view kind;
  std::string_view gone;    // "" for none
  std::string_view come;    // "" for none
  std::string_view before;  // the column that it comes before; "" for the end
  std::string_view why;
};
constexpr Difference kDifferences[] = {
    {"v1/PersistentVolumeClaim", "", "VolumeAttributesClass string 0", "Age",
     "a field that came later"},
    {"v1/PersistentVolume", "", "VolumeAttributesClass string 0", "Reason",
     "a field that came later"},
    {"v1/Pod", "Restarts integer 0", "Restarts string 0", "Age",
     "it also says when the last restart was: 3 (5m ago)"},
    {"v1/ResourceQuota", "Age string 0", "Age string 0", "", "it stands last, as with other kinds"},
    {"batch/v1/Job", "", "Status string 0", "Completions",
     "conditions can be seen without describe"},
    {"batch/v1beta1/CronJob", "", "Timezone string 0", "Suspend", "a field that came later"},
    {"certificates.k8s.io/v1/CertificateSigningRequest", "", "RequestedDuration string 0",
     "Condition", "a field that came later: expirationSeconds"},
    {"storage.k8s.io/v1/CSIDriver", "", "StorageCapacity boolean 0", "Modes",
     "a field that came later"},
    {"storage.k8s.io/v1/CSIDriver", "", "TokenRequests string 0", "Modes",
     "a field that came later"},
    {"storage.k8s.io/v1/CSIDriver", "", "RequiresRepublish boolean 0", "Modes",
     "a field that came later"},
    {"scheduling.k8s.io/v1/PriorityClass", "", "PreemptionPolicy string 0", "",
     "a field that came later"},
};

std::string TextOf(std::string_view name, std::string_view type, std::string_view format,
                   int64_t priority) {
  std::string text = std::string(name) + " " + std::string(type);
  if (!format.empty()) text.append("/").append(format);
  return text + " " + std::to_string(priority);
}

std::vector<std::string> Observed(const json::array& columns) {
  std::vector<std::string> texts;
  for (const json::value& column : columns) {
    texts.push_back(TextOf(column.at(0).as_string(), column.at(1).as_string(),
                           column.at(2).as_string(), column.at(3).as_int64()));
  }
  return texts;
}

std::vector<std::string> Ours(const Resource& resource) {
  std::vector<std::string> texts;
  const auto& columns = ColumnsOf(resource.group, resource.version, resource.kind);
  for (const auto& column : ColumnDefinitions(columns, resource.type)) {
    texts.push_back(TextOf(column.name, column.type, column.format, column.priority));
  }
  return texts;
}

// False: there is nothing that it could be about.
bool Apply(const Difference& difference, std::vector<std::string>* columns) {
  if (!difference.gone.empty() && std::erase(*columns, difference.gone) != 1) return false;
  auto at = columns->end();
  if (!difference.before.empty()) {
    const std::string start = std::string(difference.before) + " ";
    at = std::ranges::find_if(*columns, [&](const auto& each) { return each.starts_with(start); });
    if (at == columns->end()) return false;
  }
  columns->insert(at, std::string(difference.come));
  return true;
}

TEST(TableObserved, ColumnsOfRelease120) {
  std::ifstream file(PODIUM_SOURCE_DIR "/tests/testdata/observed/table-columns-1.20.json");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const json::object kinds = json::parse(text).as_object();
  EXPECT_EQ(kinds.size(), 46U);
  std::set<const Difference*> met;
  for (const auto& [key, columns] : kinds) {
    const auto parts = Split(std::string_view(key.data(), key.size()), '/');
    const std::string_view group = parts.size() == 3 ? parts[0] : std::string_view();
    const Resource* resource = FindResourceByKind(group, parts[parts.size() - 2], parts.back());
    ASSERT_NE(resource, nullptr) << key;
    std::vector<std::string> expected = Observed(columns.as_array());
    for (const Difference& difference : kDifferences) {
      if (difference.kind != std::string_view(key.data(), key.size())) continue;
      met.insert(&difference);
      EXPECT_TRUE(Apply(difference, &expected)) << key << ": " << difference.come;
    }
    EXPECT_EQ(Ours(*resource), expected) << key;
  }
  EXPECT_EQ(met.size(), std::size(kDifferences));
}

}  // namespace
}  // namespace podium::api::test
