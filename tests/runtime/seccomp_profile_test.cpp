#include "runtime/seccomp_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::runtime {
namespace {

using kernel::SeccompAction;
using kernel::SeccompArchitecture;
using kernel::SeccompOperator;
using kernel::SeccompProfile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SeccompConditions kNone{.granted = 0, .running = {.major = 6, .minor = 1}};

SeccompProfile Parsed(std::string_view json, const SeccompConditions& conditions = kNone) {
  const auto profile = ParseSeccompProfile(json, conditions);
  EXPECT_TRUE(profile.ok()) << profile.error().message();
  return profile.ok() ? *profile : SeccompProfile{};
}

std::string Refusal(std::string_view json) {
  const auto profile = ParseSeccompProfile(json, kNone);
  if (profile.ok()) return "";
  EXPECT_EQ(profile.error().code(), Code::kInvalidArgument);
  return profile.error().message();
}

TEST(SeccompProfileTest, OfOci) {
  const SeccompProfile profile = Parsed(R"({
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_S390X"],
    "flags": ["SECCOMP_FILTER_FLAG_LOG"],
    "comment": "passed over",
    "syscalls": [
      {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1, "args": [
        {"index": 0, "value": 18446744073709551615, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"}]}
    ]})");
  EXPECT_EQ(profile.default_action, SeccompAction::kErrno);
  EXPECT_EQ(profile.default_errno_ret, 38u);
  EXPECT_THAT(profile.architectures,
              ElementsAre(SeccompArchitecture::kX8664, SeccompArchitecture::kX86));
  EXPECT_NE(profile.flags, 0u);
  ASSERT_EQ(profile.syscalls.size(), 2u);
  EXPECT_THAT(profile.syscalls[0].names, ElementsAre("read", "write"));
  EXPECT_EQ(profile.syscalls[0].action, SeccompAction::kAllow);
  ASSERT_EQ(profile.syscalls[1].args.size(), 1u);
  EXPECT_EQ(profile.syscalls[1].args[0].value, ~uint64_t{0});
  EXPECT_EQ(profile.syscalls[1].args[0].value_two, 7u);
  EXPECT_EQ(profile.syscalls[1].args[0].op, SeccompOperator::kMaskedEqual);
}

// CVE-2023-2431: what says nothing is never taken for "allow everything".
TEST(SeccompProfileTest, EmptyProfileIsRefused) {
  EXPECT_NE(Refusal(""), "");
  EXPECT_NE(Refusal("null"), "");
  EXPECT_NE(Refusal("[]"), "");
  EXPECT_NE(Refusal("\"\""), "");
  EXPECT_THAT(Refusal("{}"), HasSubstr("defaultAction"));
  EXPECT_THAT(Refusal(R"({"defaultAction": ""})"), HasSubstr("defaultAction"));
  EXPECT_THAT(Refusal(R"({"defaultAction": null, "syscalls": []})"), HasSubstr("defaultAction"));
}

TEST(SeccompProfileTest, WhatIsWrongIsRefused) {
  const auto with = [](const std::string& members) {
    return Refusal(R"({"defaultAction": "SCMP_ACT_ERRNO", )" + members + "}");
  };
  EXPECT_THAT(Refusal(R"({"defaultAction": "ALLOW"})"), HasSubstr("\"ALLOW\""));
  EXPECT_THAT(with(R"("syscalls": {})"), HasSubstr("syscalls"));
  EXPECT_THAT(with(R"("syscalls": ["read"])"), HasSubstr("syscalls"));
  EXPECT_THAT(with(R"("syscalls": [{"names": ["read"]}])"), HasSubstr("action"));
  EXPECT_THAT(with(R"("syscalls": [{"names": "read", "action": "SCMP_ACT_ALLOW"}])"),
              HasSubstr("names"));
  EXPECT_THAT(with(R"("syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}])"),
              HasSubstr("both name and names"));
  const auto argument = [&](const std::string& text) {
    return with(R"("syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [)" + text +
                "]}]");
  };
  EXPECT_THAT(argument(R"({"index": 0, "op": "=="})"), HasSubstr("=="));
  EXPECT_THAT(argument(R"({"index": -1, "op": "SCMP_CMP_EQ"})"), HasSubstr("index"));
  EXPECT_THAT(argument(R"({"value": 1.5, "op": "SCMP_CMP_EQ"})"), HasSubstr("value"));
  EXPECT_THAT(argument(R"({"value": 18446744073709551616, "op": "SCMP_CMP_EQ"})"),
              HasSubstr("value"));
  EXPECT_THAT(with(R"("architectures": ["SCMP_ARCH_PDP11"])"), HasSubstr("PDP11"));
  EXPECT_THAT(with(R"("flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"])"), HasSubstr("LISTENER"));
  EXPECT_THAT(with(R"("listenerPath": "/run/agent.sock")"), HasSubstr("listenerPath"));
  EXPECT_THAT(with(R"("architectures": ["SCMP_ARCH_X86"], "archMap": [{}])"), HasSubstr("both"));
  EXPECT_THAT(with(R"("syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
                      "includes": {"minKernel": "five"}}])"),
              HasSubstr("five"));
}

#if defined(__x86_64__)
TEST(SeccompProfileTest, ArchMapOfDocker) {
  const SeccompProfile profile = Parsed(R"({
    "defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [
      {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
      {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
      {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}]})");
  EXPECT_THAT(profile.architectures,
              ElementsAre(SeccompArchitecture::kX8664, SeccompArchitecture::kX86));
  EXPECT_THAT(Parsed(R"({"defaultAction": "SCMP_ACT_ERRNO",
                         "archMap": [{"architecture": "SCMP_ARCH_S390X"}]})")
                  .architectures,
              ElementsAre(SeccompArchitecture::kX8664));
}

// The rules that hold, by the names of their calls.
std::vector<std::string> Holding(const std::string& conditions_json,
                                 const SeccompConditions& conditions) {
  std::vector<std::string> names;
  const std::string json =
      R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
          {"names": ["x"], "action": "SCMP_ACT_ALLOW", )" +
      conditions_json + "}]}";
  for (const auto& rule : Parsed(json, conditions).syscalls) names.push_back(rule.names.at(0));
  return names;
}

TEST(SeccompProfileTest, IncludesAndExcludesOfDocker) {
  const kernel::CapabilityMask admin = kernel::CapabilityBit(21);
  const kernel::CapabilityMask both = admin | kernel::CapabilityBit(16);
  const auto holds = [](const char* json, kernel::CapabilityMask granted) {
    return !Holding(json, {.granted = granted, .running = {.major = 6, .minor = 1}}).empty();
  };
  const char* const included = R"("includes": {"caps": ["CAP_SYS_ADMIN", "CAP_SYS_MODULE"]})";
  EXPECT_FALSE(holds(included, 0));
  EXPECT_FALSE(holds(included, admin));
  EXPECT_TRUE(holds(included, both));
  const char* const excluded = R"("excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_SYS_MODULE"]})";
  EXPECT_TRUE(holds(excluded, 0));
  EXPECT_FALSE(holds(excluded, admin));
  EXPECT_TRUE(holds(R"("includes": {"arches": ["amd64", "x32"]})", 0));
  EXPECT_FALSE(holds(R"("includes": {"arches": ["s390x"]})", 0));
  EXPECT_FALSE(holds(R"("excludes": {"arches": ["amd64"]})", 0));
  EXPECT_TRUE(holds(R"("excludes": {"arches": ["s390", "s390x"]})", 0));
  EXPECT_TRUE(holds(R"("includes": {"minKernel": "4.8"})", 0));
  EXPECT_TRUE(holds(R"("includes": {"minKernel": "6.1"})", 0));
  EXPECT_FALSE(holds(R"("includes": {"minKernel": "6.2"})", 0));
  EXPECT_FALSE(holds(R"("excludes": {"minKernel": "5.15"})", 0));
  EXPECT_FALSE(holds(R"("includes": {"caps": ["CAP_OF_THE_FUTURE"]})", kernel::kNamedCapabilities));
  EXPECT_TRUE(holds(R"("includes": {}, "excludes": {})", 0));
}
#endif

TEST(SeccompProfileTest, RunningKernel) {
  EXPECT_GE(RunningKernel(), (KernelVersion{.major = 5, .minor = 15}));
  EXPECT_LT(RunningKernel().major, 100);
}

}  // namespace
}  // namespace podium::runtime
