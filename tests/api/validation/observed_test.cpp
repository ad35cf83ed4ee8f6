// Validation against what an API server answered (tests/testdata/observed): requests of the kinds
// with rules are decoded, defaulted and validated here, and the answers compared with those of
// release 1.20: Status objects with all causes in order. Where release 1.36 says otherwise,
// release-1.36.jsonl has its errors and the reason; a difference that is not listed there fails,
// and so does a line there that is none.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <string>

#include "api/scheme.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/validation/harness.h"
#include "api/validation/validation.h"

namespace podium::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kKinds[] = {
    "configmap", "cronjob",     "daemonset",    "deployment",    "endpoints",   "event",
    "hpa",       "ingress",     "job",          "lease",         "limitrange",  "netpol",
    "node",      "pdb",         "pod",          "priorityclass", "pv",          "pvc",
    "quota",     "rc",          "replicaset",   "role",          "rolebinding", "secret",
    "service",   "statefulset", "storageclass", "webhook"};

std::string String(const json::value& row, std::string_view key) {
  const json::value* value = row.as_object().if_contains(key);
  return value ? json::value_to<std::string>(*value) : "";
}

// Calls visit(line number from 1, row) for the rows of a file whose kinds have rules.
template <class Visit>
int ForEachRow(const std::string& name, Visit visit) {
  std::ifstream file(PODIUM_SOURCE_DIR "/tests/testdata/observed/" + name);
  int rows = 0;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const json::value row = json::parse(line);
    if (std::ranges::find(kKinds, String(row, "kind")) == std::end(kKinds)) continue;
    ++rows;
    visit(number, row);
  }
  return rows;
}

// An object as it stands before validation: decoded, with its defaults, in the request's namespace;
// or nothing when it cannot be decoded.
reflect::AnyObject Prepared(json::value object) {
  json::object& fields = object.as_object();
  std::string version = String(object, "apiVersion");
  // Old versions are checked as what they are converted to.
  if (version == "batch/v1beta1") version = "batch/v1";
  const reflect::Type* type = FindType(version, String(object, "kind"));
  const reflect::Package& package = *type->package;
  const Resource* resource = FindResourceByKind(package.group, package.version, type->name);
  if (fields.contains("metadata") && resource->namespaced) {
    fields["metadata"].as_object()["namespace"] = "obs";
  }
  reflect::AnyObject decoded(*type);
  const auto problems =
      reflect::DecodeJson(json::serialize(object), *type, decoded.get(), {.strict = false});
  if (!problems.empty()) return {};
  SetDefaults(*type, decoded.get(), DefaultOptions{});
  // What the registry makes agree before.
  if (auto* service = decoded.As<core::v1::Service>()) {
    auto& spec = service->spec;
    if (spec.clusterIPs.empty() && !spec.clusterIP.empty()) spec.clusterIPs = {spec.clusterIP};
    if (spec.clusterIP.empty()) spec.clusterIPs.clear();
  }
  return decoded;
}

std::vector<std::string> ObservedErrors(const json::value& row) {
  std::vector<std::string> texts;
  if (row.at("code") != 422) return texts;
  for (const json::value& cause : row.at("response").at("details").at("causes").as_array()) {
    texts.push_back(String(cause, "field") + ": " + String(cause, "message"));
  }
  return texts;
}

class ObservedTest : public ::testing::TestWithParam<const char*> {
 protected:
  ObservedTest() {
    ForEachRow("release-1.36.jsonl", [&](int, const json::value& row) {
      if (String(row, "file") == GetParam()) listed_[row.at("line").to_number<int>()] = row;
    });
  }
  ~ObservedTest() override {
    for (const auto& [line, row] : listed_) {
      ADD_FAILURE() << "listed, but without a difference: " << row;
    }
  }

  void Check(int line, const json::value& row, const field::ErrorList& errors) {
    const std::vector<std::string> texts = Texts(errors);
    const std::vector<std::string> observed = ObservedErrors(row);
    const auto listed = listed_.find(line);
    if (listed != listed_.end()) {
      EXPECT_EQ(texts, json::value_to<std::vector<std::string>>(listed->second.at("errors")))
          << listed->second;
      EXPECT_EQ(row.at("case"), listed->second.at("case"));
      EXPECT_NE(texts, observed) << "listed, but without a difference: " << listed->second;
      listed_.erase(listed);
      return;
    }
    EXPECT_EQ(texts, observed) << "line " << line << " is not listed: "
                               << json::object{{"file", GetParam()},
                                               {"line", line},
                                               {"kind", row.at("kind")},
                                               {"case", row.at("case")},
                                               {"errors", json::value_from(texts)}};
    if (row.at("code") != 422) return;
    const json::value& details = row.at("response").at("details");
    const meta::v1::Status status = InvalidStatus(String(details, "group"), String(details, "kind"),
                                                  String(details, "name"), errors);
    EXPECT_EQ(json::parse(*reflect::ToJson(status)), row.at("response"));
  }

 private:
  std::map<int, json::value> listed_;
};

TEST_P(ObservedTest, AnswersOfRelease120) {
  int refused = 0;
  const int rows = ForEachRow(GetParam(), [&](int line, const json::value& row) {
    const auto code = row.at("code").to_number<int>();
    // Admission, the check of the URL and preconditions are not for validation.
    if (code == 403 || code == 409 || String(row, "case") == "metadata.namespace=\"other\"") return;
    const reflect::AnyObject object = Prepared(row.at("request"));
    EXPECT_EQ(!object, code == 400) << row;
    if (!object) return;
    refused += code == 422;
    if (!row.as_object().contains("stored")) {
      Check(line, row, ValidateCreate(object.type(), object.get()));
      return;
    }
    const reflect::AnyObject stored = Prepared(row.at("stored"));
    ASSERT_TRUE(stored) << row;
    Check(line, row, ValidateUpdate(object.type(), object.get(), stored.get()));
  });
  EXPECT_GT(rows, 15);
  EXPECT_GT(refused, 8);
}

INSTANTIATE_TEST_SUITE_P(Requests, ObservedTest, ::testing::Values("create.jsonl", "update.jsonl"),
                         [](const auto& info) { return info.index == 0 ? "Create" : "Update"; });

}  // namespace
}  // namespace podium::api
