// Windows options, and what each operating system lacks.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

const std::string kW = "spec.containers[0].securityContext.windowsOptions";
std::string W(const std::string& json) {
  return R"(spec.containers[0].securityContext={"windowsOptions":)" + json + "}";
}
std::string PodW(const std::string& json) {
  return R"(spec.securityContext={"windowsOptions":)" + json + "}";
}

TEST(WindowsTest, Options) {
  auto user = [](const std::string& name) { return W(R"({"runAsUserName":")" + name + "\"}"); };
  auto bad = [](const std::string& shown, const std::string& why) {
    return kW + ".runAsUserName: Invalid value: \"" + shown + "\": " + why;
  };
  ExpectPodErrors({
      {{W(R"({"gmsaCredentialSpecName":"a.b","gmsaCredentialSpec":"x","runAsUserName":"DOM\\me"})")},
       {}},
      {{W(R"({"gmsaCredentialSpecName":"A"})")},
       {kW + ".gmsaCredentialSpecName: Invalid value: \"A\": " + kNotSubdomain}},
      {{W(R"({"gmsaCredentialSpec":""})")},
       {kW +
        ".gmsaCredentialSpec: Invalid value: \"\": gmsaCredentialSpec cannot be an empty string"}},
      {{user("NT AUTHORITY\\\\SYSTEM")}, {}},
      {{user("sub.example.com\\\\me")}, {}},
      {{user("")}, {bad("", "runAsUserName cannot be an empty string")}},
      {{user("a\\tb")}, {bad("a\\tb", "runAsUserName cannot contain control characters")}},
      {{user("a\\\\b\\\\c")},
       {bad("a\\\\b\\\\c", "runAsUserName cannot contain more than one backslash")}},
      {{user("\\\\b")},
       {bad("\\\\b", "runAsUserName's Domain doesn't match the NetBios nor the DNS format")}},
      {{user(".dom\\\\b")},
       {bad(".dom\\\\b", "runAsUserName's Domain doesn't match the NetBios nor the DNS format")}},
      {{user("dom\\\\")}, {bad("dom\\\\", "runAsUserName's User cannot be empty")}},
      {{user(". .")}, {bad(". .", "runAsUserName's User cannot contain only periods or spaces")}},
      {{user("a;b")},
       {bad("a;b",
            "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")}},
      {{user(std::string(105, 'a'))},
       {bad(std::string(105, 'a'),
            "runAsUserName's User length must not be longer than 104 characters")}},
      {{user(std::string(256, 'a') + "\\\\b")},
       {bad(std::string(256, 'a') + "\\\\b",
            "runAsUserName's Domain length must be under 256 characters"),
        bad(std::string(256, 'a') + "\\\\b",
            "runAsUserName's Domain doesn't match the NetBios nor the DNS format")}},
      {{PodW(R"({"runAsUserName":""})")},
       {"spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"\": runAsUserName "
        "cannot "
        "be an empty string"}},
  });
}

TEST(WindowsTest, CredentialSpecsAreSmall) {
  std::vector<std::string> errors = CreateErrors(
      Edited(kPod, {W(R"({"gmsaCredentialSpec":")" + std::string(64 * 1024 + 1, 'a') + "\"}")}));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0], ::testing::EndsWith("gmsaCredentialSpec size must be under 64 KiB"));
}

TEST(WindowsTest, HostProcess) {
  const std::string second = R"(spec.containers[1]={"name":"d","image":"i"})";
  ExpectPodErrors({
      {{W(R"({"hostProcess":true})"), "spec.hostNetwork=true"}, {}},
      {{PodW(R"({"hostProcess":true})"), "spec.hostNetwork=true"}, {}},
      {{W(R"({"hostProcess":false})")}, {}},
      {{W(R"({"hostProcess":true})"), second, "spec.hostNetwork=true"},
       {"spec: Invalid value: \"\": If pod contains any hostProcess containers then all containers "
        "must be HostProcess containers"}},
      {{W(R"({"hostProcess":true})")},
       {"spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any "
        "hostProcess containers"}},
      {{W(R"({"hostProcess":true})"), PodW(R"({"hostProcess":false})"), "spec.hostNetwork=true"},
       {kW +
        ".hostProcess: Invalid value: true: pod hostProcess value must be identical if both are "
        "specified, was false"}},
  });
}

TEST(WindowsTest, OsNames) {
  ExpectPodErrors({
      {{R"(spec.os={"name":"linux"})"}, {}},
      {{R"(spec.os={"name":"windows"})"}, {}},
      {{R"(spec.os={"name":""})"}, {"spec.os.name: Required value"}},
      {{R"(spec.os={"name":"plan9"})"},
       {"spec.os: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""}},
      {{R"(spec.os={"name":"linux"})", W("{}"), PodW("{}"),
        R"(spec.initContainers=[{"name":"i","image":"i","securityContext":{"windowsOptions":{}}}])"},
       {"spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux "
        "pod",
        "spec.initContainers[0].securityContext.windowsOptions: Forbidden: windows options cannot "
        "be "
        "set for a linux pod",
        "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be "
        "set "
        "for a linux pod"}},
  });
}

TEST(WindowsTest, LinuxFieldsOfWindowsPods) {
  std::vector<std::string> expected;
  for (const char* field : {"securityContext.appArmorProfile",
                            "securityContext.seLinuxOptions",
                            "hostUsers",
                            "hostPID",
                            "hostIPC",
                            "securityContext.seccompProfile",
                            "securityContext.fsGroup",
                            "securityContext.fsGroupChangePolicy",
                            "securityContext.sysctls",
                            "shareProcessNamespace",
                            "securityContext.runAsUser",
                            "securityContext.runAsGroup",
                            "securityContext.supplementalGroups",
                            "securityContext.supplementalGroupsPolicy",
                            "securityContext.seLinuxChangePolicy",
                            "containers[0].securityContext.appArmorProfile",
                            "containers[0].securityContext.seLinuxOptions",
                            "containers[0].securityContext.seccompProfile",
                            "containers[0].securityContext.capabilities",
                            "containers[0].securityContext.readOnlyRootFilesystem",
                            "containers[0].securityContext.privileged",
                            "containers[0].securityContext.allowPrivilegeEscalation",
                            "containers[0].securityContext.procMount",
                            "containers[0].securityContext.runAsUser",
                            "containers[0].securityContext.runAsGroup"}) {
    expected.push_back(std::string("spec.") + field +
                       ": Forbidden: cannot be set for a windows pod");
  }
  ExpectPodErrors({{
      {R"(spec.os={"name":"windows"})",
       R"(spec.securityContext={"appArmorProfile":{"type":"Unconfined"},"seLinuxOptions":{},
          "seccompProfile":{"type":"Unconfined"},"fsGroup":1,"fsGroupChangePolicy":"Always",
          "sysctls":[{"name":"a","value":"b"}],"runAsUser":1,"runAsGroup":1,"supplementalGroups":[1],
          "supplementalGroupsPolicy":"Merge","seLinuxChangePolicy":"Recursive"})",
       "spec.hostUsers=true", "spec.hostPID=true", "spec.hostIPC=true",
       "spec.shareProcessNamespace=false",
       R"(spec.containers[0].securityContext={"appArmorProfile":{"type":"Unconfined"},
          "seLinuxOptions":{},"seccompProfile":{"type":"Unconfined"},"capabilities":{},
          "readOnlyRootFilesystem":false,"privileged":false,"allowPrivilegeEscalation":true,
          "procMount":"Default","runAsUser":1,"runAsGroup":1})"},
      expected,
  }});
}

TEST(WindowsTest, Domains) {
  auto user = [](const std::string& name) { return W(R"({"runAsUserName":")" + name + "\"}"); };
  const std::string no_domain =
      "runAsUserName's Domain doesn't match the NetBios nor the DNS format";
  std::vector<ErrorCase> cases = {
      {{user("D_M\\\\me")}, {}},
      // Too long for NetBIOS, so that these must be DNS names.
      {{user("Long-Domain-0123456789.example.com\\\\me")}, {}},
      {{user("12345678901234567890\\\\me")}, {}},
      {{user(std::string(63, 'a') + "\\\\me")}, {}},
      {{user("a\u007fb")},
       {kW + ".runAsUserName: Invalid value: \"a\u007fb\": runAsUserName cannot contain control "
             "characters"}},
  };
  for (const std::string& domain :
       {std::string("long_domain_0123456789"), std::string("long-domain-0123456789-"),
        std::string("-long-domain-0123456789"), std::string("long-domain..0123456789"),
        std::string("long-domain.0123456789."), std::string(64, 'a')}) {
    cases.push_back(
        {{user(domain + "\\\\me")},
         {kW + ".runAsUserName: Invalid value: \"" + domain + "\\\\me\": " + no_domain}});
  }
  ExpectPodErrors(cases);
}

TEST(WindowsTest, BothSayHostProcess) {
  ExpectPodErrors({
      {{W(R"({"hostProcess":true})"), PodW(R"({"hostProcess":true})"), "spec.hostNetwork=true"},
       {}},
      {{"spec.os={\"name\":\"linux\"}", R"(spec.containers[0].securityContext={})"}, {}},
  });
}

}  // namespace
}  // namespace podium::api
