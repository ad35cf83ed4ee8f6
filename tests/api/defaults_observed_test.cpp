// Defaulting against what an API server answered (tests/testdata/observed): requests that release
// 1.20 accepted are defaulted here and compared with its answers. What differs is listed, each with
// its reason; a difference that is not listed fails, and so does one that is listed and not met.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "api/defaults_support.h"

namespace podium::api::test {
namespace {

struct Difference {
  const char* kind;  // "*" for all
  const char* path;  // and what is below it
  const char* reason;
};

// Made by the server's strategies.
constexpr const char* kStrategy = "strategy";
// Made by the server's admission plugins.
constexpr const char* kAdmission = "admission";
// A rule of 1.36 for a field that 1.20 had not, or had behind a gate that was off.
constexpr const char* kNewer = "newer than 1.20";

constexpr auto kDifferences = std::to_array<Difference>({
    {"*", "metadata/namespace", "of the request's URL"},
    {"*", "metadata/generation", kStrategy},
    {"Pod", "status/phase", kStrategy},
    {"Pod", "status/qosClass", kStrategy},
    {"Pod", "spec/serviceAccount", kAdmission},
    {"Pod", "spec/serviceAccountName", kAdmission},
    {"Pod", "spec/tolerations", kAdmission},
    {"Pod", "spec/priority", kAdmission},
    {"Pod", "spec/preemptionPolicy", kAdmission},
    {"Pod", "spec/ephemeralContainers", "dropped by the strategy"},
    {"Pod", "spec/containers/0/securityContext/procMount", kNewer},
    {"StatefulSet", "spec/updateStrategy/rollingUpdate/maxUnavailable", kNewer},
    {"StatefulSet", "spec/persistentVolumeClaimRetentionPolicy", kNewer},
    {"StatefulSet", "status/availableReplicas", kNewer},
    {"Job", "spec/completionMode", kNewer},
    {"Job", "spec/manualSelector", kNewer},
    {"Job", "spec/podReplacementPolicy", kNewer},
    {"Job", "spec/suspend", kNewer},
    {"Job", "spec/selector", kStrategy},
    {"Job", "spec/template/metadata/labels", kStrategy},
    {"Job", "metadata/labels", "from the template's labels, which the strategy made"},
    {"Service", "spec/internalTrafficPolicy", kNewer},
    {"Service", "spec/clusterIPs", kStrategy},
    {"Service", "spec/ports/0/nodePort", kStrategy},
    {"PersistentVolumeClaim", "metadata/finalizers", kAdmission},
    {"PersistentVolume", "metadata/finalizers", kAdmission},
    {"Node", "spec/taints", kAdmission},
});

std::string Joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "/" + std::string(name);
}

// The paths at which the two differ; of objects and lists, those below.
void Compare(const std::string& path, const json::value& ours, const json::value& theirs,
             std::vector<std::string>* differences) {
  if (ours.is_object() && theirs.is_object()) {
    std::set<std::string> keys;
    for (const auto& member : ours.as_object()) keys.emplace(member.key());
    for (const auto& member : theirs.as_object()) keys.emplace(member.key());
    for (const std::string& key : keys) {
      const json::value* a = ours.as_object().if_contains(key);
      const json::value* b = theirs.as_object().if_contains(key);
      Compare(Joined(path, key), a ? *a : json::value(), b ? *b : json::value(), differences);
    }
  } else if (ours.is_array() && theirs.is_array() &&
             ours.as_array().size() == theirs.as_array().size()) {
    for (size_t i = 0; i < ours.as_array().size(); ++i) {
      Compare(Joined(path, std::to_string(i)), ours.as_array()[i], theirs.as_array()[i],
              differences);
    }
  } else if (ours != theirs) {
    differences->push_back(path);
  }
}

bool Covers(const Difference& difference, std::string_view kind, std::string_view path) {
  const std::string_view top = difference.path;
  return (difference.kind == std::string_view("*") || difference.kind == kind) &&
         path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

TEST(DefaultsObserved, AnswersOfRelease120) {
  std::ifstream file(PODIUM_SOURCE_DIR "/tests/testdata/observed/create.jsonl");
  std::set<const Difference*> met;
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const json::value row = json::parse(line);
    if (row.at("code") != 201) continue;
    json::value request = row.at("request");
    Remove(request, "spec/unknownField");  // 1.20 passed over what it did not know
    const std::string kind = json::value_to<std::string>(request.at("kind"));
    ++compared;
    std::vector<std::string> differences;
    const json::value defaulted = Defaulted(request);
    Compare("", defaulted, row.at("response"), &differences);
    for (const std::string& path : differences) {
      auto listed = std::find_if(kDifferences.begin(), kDifferences.end(),
                                 [&](const Difference& d) { return Covers(d, kind, path); });
      if (listed != kDifferences.end()) {
        met.insert(&*listed);
        continue;
      }
      const json::value* ours = Find(defaulted, path);
      const json::value* theirs = Find(row.at("response"), path);
      ADD_FAILURE() << kind << " " << row.at("case") << ": " << path << " is "
                    << (ours ? json::serialize(*ours) : "absent") << ", observed "
                    << (theirs ? json::serialize(*theirs) : "absent");
    }
  }
  EXPECT_GT(compared, 30);
  for (const Difference& difference : kDifferences) {
    EXPECT_TRUE(met.contains(&difference)) << difference.kind << " " << difference.path;
  }
}

}  // namespace
}  // namespace podium::api::test
