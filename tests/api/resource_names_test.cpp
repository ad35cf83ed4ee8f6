#include "api/resource_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace podium::api {
namespace {

// Each rule holds of exactly these names.
TEST(ResourceNamesTest, Rules) {
  const std::vector<std::string> names = {
      "cpu",
      "memory",
      "ephemeral-storage",
      "storage",
      "pods",
      "services.nodeports",
      "requests.cpu",
      "limits.memory",
      "requests.storage",
      "hugepages-2Mi",
      "requests.hugepages-2Mi",
      "attachable-volumes-csi",
      "example.com/gpu",
      "kubernetes.io/batch",
      "sub.kubernetes.io/x",
      "requests.example.com/gpu",
      "Example.com/gpu",
      "example.com/-",
      "unknown",
      "",
  };
  struct Rule {
    const char* name;
    bool (*rule)(std::string_view);
    std::vector<std::string> want;
  };
  const std::vector<std::string> native = {
      "cpu",
      "memory",
      "ephemeral-storage",
      "storage",
      "pods",
      "services.nodeports",
      "requests.cpu",
      "limits.memory",
      "requests.storage",
      "hugepages-2Mi",
      "requests.hugepages-2Mi",
      "attachable-volumes-csi",
      "kubernetes.io/batch",
      "sub.kubernetes.io/x",
      "unknown",
      "",
  };
  std::vector<std::string> overcommit = native;
  std::erase(overcommit, "hugepages-2Mi");
  const std::vector<std::string> quota = {
      "cpu",
      "memory",
      "ephemeral-storage",
      "pods",
      "services.nodeports",
      "requests.cpu",
      "limits.memory",
      "requests.storage",
      "hugepages-2Mi",
      "requests.hugepages-2Mi",
  };
  std::vector<std::string> standard = quota;
  standard.insert(standard.begin() + 3, "storage");
  const Rule rules[] = {
      {"IsHugePageResourceName", IsHugePageResourceName, {"hugepages-2Mi"}},
      {"IsQuotaHugePageResourceName",
       IsQuotaHugePageResourceName,
       {"hugepages-2Mi", "requests.hugepages-2Mi"}},
      {"IsNativeResource", IsNativeResource, native},
      {"IsPrefixedNativeResource",
       IsPrefixedNativeResource,
       {"kubernetes.io/batch", "sub.kubernetes.io/x"}},
      {"IsExtendedResourceName", IsExtendedResourceName, {"example.com/gpu"}},
      {"IsOvercommitAllowed", IsOvercommitAllowed, overcommit},
      {"IsAttachableVolumeResourceName",
       IsAttachableVolumeResourceName,
       {"attachable-volumes-csi"}},
      {"IsScalarResourceName",
       IsScalarResourceName,
       {"hugepages-2Mi", "attachable-volumes-csi", "example.com/gpu", "kubernetes.io/batch",
        "sub.kubernetes.io/x"}},
      {"IsStandardResourceName", IsStandardResourceName, standard},
      {"IsStandardContainerResourceName",
       IsStandardContainerResourceName,
       {"cpu", "memory", "ephemeral-storage", "hugepages-2Mi"}},
      {"IsStandardQuotaResourceName", IsStandardQuotaResourceName, quota},
      {"IsIntegerResourceName",
       IsIntegerResourceName,
       {"pods", "services.nodeports", "example.com/gpu"}},
  };
  for (const Rule& rule : rules) {
    std::vector<std::string> got;
    std::ranges::copy_if(names, std::back_inserter(got), rule.rule);
    EXPECT_EQ(got, rule.want) << rule.name;
  }
}

TEST(ResourceNamesTest, ExtendedNamesLeaveRoomForTheQuotasPrefix) {
  EXPECT_TRUE(IsExtendedResourceName(std::string(60, 'a') + ".b/c"));
  EXPECT_TRUE(IsExtendedResourceName("a.b/" + std::string(63, 'c')));
  EXPECT_FALSE(IsExtendedResourceName("a.b/" + std::string(64, 'c')));
  std::string domain;
  for (int i = 0; i < 61; ++i) domain += "abc.";
  domain.pop_back();  // 243 bytes: with "requests." 252
  EXPECT_TRUE(IsExtendedResourceName(domain + "d/e"));
  EXPECT_FALSE(IsExtendedResourceName(domain + "dd/e"));
}

TEST(ResourceNamesTest, HugePages) {
  EXPECT_EQ(HugePageSizeFromResourceName("hugepages-2Mi")->String(), "2Mi");
  EXPECT_EQ(HugePageSizeFromResourceName("cpu").error().message(),
            "resource name: cpu is an invalid hugepage name");
  EXPECT_EQ(HugePageSizeFromResourceName("hugepages-2Q").error().code(), Code::kInvalidArgument);
  struct Case {
    const char* name;
    const char* value;
    bool want;
  };
  const Case cases[] = {
      {"hugepages-2Mi", "4Mi", true},
      {"hugepages-2Mi", "3Mi", false},
      {"hugepages-2Mi", "0", true},
      {"hugepages-1Gi", "2Gi", true},
      {"hugepages-", "4Mi", false},
      {"hugepages-0", "4Mi", false},
      {"hugepages--2Mi", "4Mi", false},
      {"hugepages-1500m", "3", false},
      {"cpu", "1", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(IsHugePageResourceValueDivisible(c.name, Quantity::Must(c.value)), c.want)
        << c.name << " " << c.value;
  }
}

}  // namespace
}  // namespace podium::api
