// The fields of a PodSpec that stand alone, and the template around it.
#include "api/validation/pod_harness.h"
#include "api/validation/pod_template.h"

namespace podium::api {
namespace {

TEST(PodSpecTest, Enums) {
  ExpectPodErrors({
      {{"spec.restartPolicy=\"OnFailure\""}, {}},
      {{"spec.restartPolicy=\"x\""},
       {"spec.restartPolicy: Unsupported value: \"x\": supported values: \"Always\", "
        "\"OnFailure\", "
        "\"Never\""}},
      {{"spec.dnsPolicy=\"Default\""}, {}},
      {{"spec.dnsPolicy=\"x\""},
       {"spec.dnsPolicy: Unsupported value: \"x\": supported values: \"ClusterFirstWithHostNet\", "
        "\"ClusterFirst\", \"Default\", \"None\""}},
      {{"spec.preemptionPolicy=\"Never\""}, {}},
      {{"spec.preemptionPolicy=\"\""}, {"spec.preemptionPolicy: Required value"}},
      {{"spec.preemptionPolicy=\"x\""},
       {"spec.preemptionPolicy: Unsupported value: \"x\": supported values: "
        "\"PreemptLowerPriority\", \"Never\""}},
  });
}

TEST(PodSpecTest, Names) {
  ExpectPodErrors({
      {{"spec.serviceAccountName=\"a.b\"", "spec.nodeName=\"a.b\"",
        "spec.priorityClassName=\"a.b\"", "spec.runtimeClassName=\"a.b\"", "spec.hostname=\"h\"",
        "spec.subdomain=\"s\""},
       {}},
      {{"spec.serviceAccountName=\"A\"", "spec.nodeName=\"B\"", "spec.hostname=\"C\"",
        "spec.subdomain=\"D\"", "spec.priorityClassName=\"E\"", "spec.runtimeClassName=\"F\""},
       {"spec.serviceAccountName: Invalid value: \"A\": " + kNotSubdomain,
        "spec.nodeName: Invalid value: \"B\": " + kNotSubdomain,
        "spec.hostname: Invalid value: \"C\": " + kNotLabel,
        "spec.subdomain: Invalid value: \"D\": " + kNotLabel,
        "spec.priorityClassName: Invalid value: \"E\": " + kNotSubdomain,
        "spec.runtimeClassName: Invalid value: \"F\": " + kNotSubdomain}},
      {{"spec.hostname=\"" + std::string(64, 'a') + "\""},
       {"spec.hostname: Invalid value: \"" + std::string(64, 'a') +
        "\": must be no more than 63 bytes"}},
      {{"spec.runtimeClassName=\"\""},
       {"spec.runtimeClassName: Invalid value: \"\": " + kNotSubdomain}},
  });
}

TEST(PodSpecTest, Deadline) {
  const std::string range = ": must be between 1 and 2147483647, inclusive";
  ExpectPodErrors({
      {{"spec.activeDeadlineSeconds=1"}, {}},
      {{"spec.activeDeadlineSeconds=2147483647"}, {}},
      {{"spec.activeDeadlineSeconds=0"}, {"spec.activeDeadlineSeconds: Invalid value: 0" + range}},
      {{"spec.activeDeadlineSeconds=2147483648"},
       {"spec.activeDeadlineSeconds: Invalid value: 2147483648" + range}},
  });
}

TEST(PodSpecTest, Dns) {
  const std::string at = "spec.dnsConfig";
  const std::string long_name = std::string(63, 'a');
  std::string many = "\"a\"";
  for (int i = 0; i < 32; ++i) many += ",\"a\"";
  std::string searches = "[";
  std::string shown = "[";
  for (int i = 0; i < 32; ++i) {
    const std::string search = "\"" + long_name + "." + (i == 0 ? "bb" : "") + "\"";
    searches += (i ? "," : "") + search;
    shown += (i ? "," : "") + search;
  }
  ExpectPodErrors({
      {{R"(spec.dnsConfig={"nameservers":["10.0.0.1","::1"],"searches":["a.b","_x.y.","."],
                           "options":[{"name":"ndots","value":"2"}]})"},
       {}},
      {{"spec.dnsPolicy=\"None\""},
       {at + ": Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
      {{"spec.dnsPolicy=\"None\"", "spec.dnsConfig={}"},
       {at +
        ".nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` "
        "is None"}},
      {{"spec.dnsPolicy=\"None\"", R"(spec.dnsConfig={"nameservers":["1.1.1.1"]})"}, {}},
      {{R"(spec.dnsConfig={"nameservers":["1.1.1.1","1.1.1.2","1.1.1.3","x"]})"},
       {at + ".nameservers: Invalid value: [\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"x\"]: must not "
             "have "
             "more than 3 nameservers",
        at + ".nameservers[3]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
             "2001:db8::ffff)"}},
      {{R"(spec.dnsConfig={"nameservers":["010.0.0.1","::ffff:1.2.3.4"]})"},
       {at + ".nameservers[0]: Invalid value: \"010.0.0.1\": must not have leading 0s",
        at + ".nameservers[1]: Invalid value: \"::ffff:1.2.3.4\": must not be an IPv4-mapped IPv6 "
             "address"}},
      {{"spec.dnsConfig={\"searches\":[" + many + "]}"},
       {at + ".searches: Invalid value: [" + many + "]: must not have more than 32 search paths"}},
      {{"spec.dnsConfig={\"searches\":" + searches + "]}"},
       {at + ".searches: Invalid value: " + shown +
        "]: must not have more than 2048 characters (including spaces) in the search list"}},
      {{R"(spec.dnsConfig={"searches":["A"]})"},
       {at + ".searches[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of "
             "lower case alphanumeric characters, '_', '-' or '.', and must start and end with an "
             "alphanumeric character (e.g. 'example.com', regex used for validation is "
             "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"}},
      {{R"(spec.dnsConfig={"options":[{"name":""}]})"},
       {at + ".options[0]: Required value: must not be empty"}},
  });
}

TEST(PodSpecTest, HostNetworkPorts) {
  const std::string port = R"(spec.containers[0].ports=[{"containerPort":80,"hostPort":81}])";
  ExpectPodErrors({
      {{"spec.hostNetwork=true", R"(spec.containers[0].ports=[{"containerPort":80}])"}, {}},
      {{port}, {}},
      {{"spec.hostNetwork=true", port},
       {"spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when "
        "`hostNetwork` is true"}},
  });
}

TEST(PodSpecTest, HostAliases) {
  ExpectPodErrors({
      {{R"(spec.hostAliases=[{"ip":"1.2.3.4","hostnames":["a.b"]}])"}, {}},
      {{R"(spec.hostAliases=[{"ip":"x","hostnames":["a b"]}])"},
       {"spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 "
        "or "
        "2001:db8::ffff)",
        "spec.hostAliases[0].hostnames[0]: Invalid value: \"a b\": " + kNotSubdomain}},
  });
}

TEST(PodSpecTest, HostnameOverride) {
  const std::string at = "spec.hostnameOverride";
  ExpectPodErrors({
      {{"spec.hostnameOverride=\"a.b\"", "spec.setHostnameAsFQDN=false"}, {}},
      {{"spec.hostnameOverride=\"a\"", "spec.setHostnameAsFQDN=true", "spec.hostNetwork=true"},
       {at + ": Forbidden: may not be specified when setHostnameAsFQDN is true",
        at + ": Forbidden: may not be specified when hostNetwork is true"}},
      {{"spec.hostnameOverride=\"" + std::string(65, 'a') + "\""},
       {at + ": Too long: may not be more than 64 bytes"}},
      {{"spec.hostnameOverride=\"A\""}, {at + ": Invalid value: \"A\": " + kNotSubdomain}},
  });
}

TEST(PodSpecTest, TokensNeedAServiceAccount) {
  const std::string volume =
      R"(spec.volumes=[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}])";
  ExpectPodErrors({
      {{volume},
       {"spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be "
        "specified "
        "when serviceAccountName is not set"}},
      {{volume, "spec.serviceAccountName=\"s\""}, {}},
  });
}

TEST(PodSpecTest, EphemeralContainersComeLater) {
  ExpectPodErrors({{{R"(spec.ephemeralContainers=[{"name":"e","image":"i"}])"},
                    {"spec.ephemeralContainers: Forbidden: cannot be set on create"}}});
}

TEST(PodSpecTest, Template) {
  constexpr char kTemplate[] =
      R"({"template":{"metadata":{"labels":{"a":"b"}},
          "spec":{"containers":[{"name":"c","image":" i "}]}}})";
  auto errors = [](const std::string& json) {
    auto object = Load<core::v1::PodTemplate>(json);
    return Texts(ValidatePodTemplateSpec(object.template_, field::Path("template"), {}));
  };
  ExpectErrors(
      kTemplate,
      {
          // What is not for templates: white space in images, names, and the ports of hostNetwork.
          {{}, {}},
          {{"template.spec.hostNetwork=true",
            R"(template.spec.containers[0].ports=[{"containerPort":80,"hostPort":80}])"},
           {}},
          {{R"(template.metadata.labels={"-":"-"})"},
           {"template.labels: Invalid value: \"-\": " + kNotQualified,
            "template.labels: Invalid value: \"-\": " + kNotLabelValue}},
          {{R"(template.metadata.annotations={"-":"-"})"},
           {"template.annotations: Invalid value: \"-\": " + kNotQualified}},
          {{R"(template.metadata.annotations={"controller.kubernetes.io/pod-deletion-cost":"x"})"},
           {"template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "
            "\"x\": "
            "must be a 32bit integer"}},
          {{"template.spec.containers=[]"}, {"template.spec.containers: Required value"}},
          {{R"(template.spec.ephemeralContainers=[{"name":"e","image":"i"}])"},
           {"template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod "
            "template"}},
          {{R"(template.metadata.annotations={"container.seccomp.security.alpha.kubernetes.io/c":
               "unconfined"})",
            R"(template.spec.containers[0].securityContext={"seccompProfile":{"type":"RuntimeDefault"}})"},
           {"template.spec.containers[0].securityContext.seccompProfile.type: Forbidden: seccomp "
            "type "
            "in annotation and field must match"}},
      },
      errors);
}

TEST(PodSpecTest, UnderOtherOptions) {
  // What the options for old objects and for switched off features say.
  const std::string searches = R"(spec.dnsConfig={"searches":[".","a_b.c","d."]})";
  ExpectPodErrors({{{searches}, {}}});
  ExpectPodErrors({{{searches},
                    {"spec.dnsConfig.searches[0]: Invalid value: \"\": " + kNotSubdomain,
                     "spec.dnsConfig.searches[1]: Invalid value: \"a_b.c\": " + kNotSubdomain}}},
                  {.allow_relaxed_dns_search_validation = false});
  ExpectPodErrors({{{R"(spec.resources={"requests":{"x":"1"}})"}, {}}},
                  {.pod_level_resources_enabled = false});
}

TEST(PodSpecTest, HostPortsOfTemplates) {
  auto pod = Load<core::v1::Pod>(Edited(
      kPod, {"spec.hostNetwork=true", R"(spec.containers[0].ports=[{"containerPort":80}])"}));
  core::v1::PodTemplateSpec pod_template;
  pod_template.spec = pod.spec;
  const auto errors = [&](int32_t host_port, bool is_pod) {
    pod_template.spec.containers[0].ports[0].hostPort = host_port;
    PodValidationOptions options{.resource_is_pod = is_pod};
    return Texts(ValidatePodTemplateSpec(pod_template, field::Path("t"), options));
  };
  const std::string at = "t.spec.containers[0].ports[0].hostPort: Invalid value: ";
  const std::string text = ": must match `containerPort` when `hostNetwork` is true";
  EXPECT_THAT(errors(80, false), ::testing::IsEmpty());
  EXPECT_THAT(errors(0, false), ::testing::IsEmpty());
  EXPECT_THAT(errors(81, false), ::testing::ElementsAre(at + "81" + text));
  EXPECT_THAT(errors(0, true), ::testing::ElementsAre(at + "0" + text));
}

TEST(PodSpecTest, TokensOfTheOlderServiceAccountField) {
  auto pod = Load<core::v1::Pod>(Edited(
      kPod,
      {R"(spec.volumes=[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}])"}));
  pod.spec.serviceAccount = "s";
  pod.spec.serviceAccountName.clear();
  EXPECT_THAT(Texts(ValidatePodCreate(pod, {.resource_is_pod = true})), ::testing::IsEmpty());
}

}  // namespace
}  // namespace podium::api
