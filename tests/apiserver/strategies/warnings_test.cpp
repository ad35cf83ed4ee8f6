// What the header Warning says of objects, kind by kind: upstream's strategies
// (WarningsOnCreate, WarningsOnUpdate) in its own words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/types/apiextensions_v1.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/strategies/strategy.h"
#include "pki/certificate_authority.h"
#include "pki/keys.h"
#include "reflect/base64.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using namespace api::core::v1;  // NOLINT: named once
using testing::ElementsAre;
using testing::IsEmpty;

template <class T>
T FromJson(std::string_view json) {
  T object;
  const auto problems = reflect::DecodeJson(json, reflect::TypeOf<T>(), &object, {});
  EXPECT_TRUE(problems.empty()) << json;
  return object;
}

using Texts = std::vector<std::string>;

template <class T>
Texts OfNew(std::string_view json) {
  const T object = FromJson<T>(json);
  return StrategyOf(reflect::TypeOf<T>()).warnings(&object, nullptr);
}

// Of an update that leaves everything as it is but the generation, through the object itself or a
// subresource.
template <class T>
Texts OfChanged(std::string_view json, std::string_view subresource = "") {
  const T old = FromJson<T>(json);
  T object = reflect::Copy(old);
  ++object.metadata.generation;
  return StrategyOf(reflect::TypeOf<T>(), subresource).warnings(&object, &old);
}

constexpr std::string_view kBadName =
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
    "behavior; a DNS label is recommended: [must not contain dots]";

TEST(WarningsTest, NamesThatPodsTake) {
  using namespace api::apps::v1;   // NOLINT: named once
  using namespace api::batch::v1;  // NOLINT: likewise
  constexpr std::string_view kDotted = R"({"metadata":{"name":"a.b"}})";
  EXPECT_THAT(OfNew<Deployment>(kDotted), ElementsAre(kBadName));
  EXPECT_THAT(OfNew<ReplicaSet>(kDotted), ElementsAre(kBadName));
  EXPECT_THAT(OfNew<ReplicationController>(kDotted), ElementsAre(kBadName));
  EXPECT_THAT(OfNew<Job>(kDotted), ElementsAre(kBadName));
  EXPECT_THAT(OfNew<CronJob>(kDotted), ElementsAre(kBadName));
  EXPECT_THAT(OfNew<StatefulSet>(kDotted), IsEmpty());
  EXPECT_THAT(OfNew<DaemonSet>(kDotted), IsEmpty());
  EXPECT_THAT(OfChanged<Deployment>(kDotted), IsEmpty());
  EXPECT_THAT(OfChanged<CronJob>(kDotted), IsEmpty());
}

TEST(WarningsTest, StatefulSets) {
  using api::apps::v1::StatefulSet;
  constexpr std::string_view kSet = R"({"spec":{"revisionHistoryLimit":-1,"volumeClaimTemplates":[
    {"spec":{"resources":{"requests":{"storage":"100m"}}}}]}})";
  constexpr std::string_view kLimit =
      "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 "
      "is recommended";
  EXPECT_THAT(OfNew<StatefulSet>(kSet),
              ElementsAre("spec.volumeClaimTemplates[0].resources.requests[storage]: fractional "
                          "byte value \"100m\" is invalid, must be an integer",
                          kLimit));
  EXPECT_THAT(OfChanged<StatefulSet>(kSet),
              ElementsAre("spec.volumeClaimTemplates[0].Spec.resources.requests[storage]: "
                          "fractional byte value \"100m\" is invalid, must be an integer",
                          kLimit));
}

TEST(WarningsTest, SchedulesWithATimeZone) {
  using api::batch::v1::CronJob;
  constexpr std::string_view kJob =
      R"({"metadata":{"name":"a"},"spec":{"schedule":"TZ=UTC 0 * * * *"}})";
  EXPECT_THAT(OfNew<CronJob>(kJob), IsEmpty());
  EXPECT_THAT(
      OfChanged<CronJob>(kJob),
      ElementsAre("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
                  "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more "
                  "details"));
}

TEST(WarningsTest, Services) {
  EXPECT_THAT(
      OfNew<Service>(R"({"spec":{"type":"LoadBalancer","clusterIPs":["010.0.0.1","FD00:0::1"],
        "externalIPs":["::ffff:1.2.3.4"],"loadBalancerIP":"1.2.3.04","externalName":"x",
        "loadBalancerSourceRanges":["10.0.0.1/8","fd00::0/64","010.0.0.0/8","::ffff:1.2.3.0/120"],
        "trafficDistribution":"PreferClose"}})"),
      ElementsAre(
          "spec.clusterIPs[0]: non-standard IP address \"010.0.0.1\" will be considered invalid in "
          "a future Kubernetes release: use \"10.0.0.1\"",
          "spec.clusterIPs[1]: IPv6 address \"FD00:0::1\" should be in RFC 5952 canonical format "
          "(\"fd00::1\")",
          "spec.externalIPs[0]: non-standard IP address \"::ffff:1.2.3.4\" will be considered "
          "invalid in a future Kubernetes release: use \"1.2.3.4\"",
          "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
          "spec.loadBalancerIP: non-standard IP address \"1.2.3.04\" will be considered invalid in "
          "a future Kubernetes release: use \"1.2.3.4\"",
          "spec.loadBalancerSourceRanges[0]: CIDR value \"10.0.0.1/8\" is ambiguous in this "
          "context "
          "(should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)",
          "spec.loadBalancerSourceRanges[1]: IPv6 CIDR value \"fd00::0/64\" should be in RFC 5952 "
          "canonical format (\"fd00::/64\")",
          "spec.loadBalancerSourceRanges[2]: non-standard CIDR value \"010.0.0.0/8\" will be "
          "considered invalid in a future Kubernetes release: use \"10.0.0.0/8\"",
          "spec.loadBalancerSourceRanges[3]: non-standard CIDR value \"::ffff:1.2.3.0/120\" will "
          "be considered invalid in a future Kubernetes release: use \"1.2.3.0/24\"",
          "spec.externalName is ignored when spec.type is not \"ExternalName\"",
          "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""));
  EXPECT_THAT(OfNew<Service>(R"({"spec":{"type":"ExternalName","externalName":"x",
                                 "externalIPs":["1.2.3.4"]}})"),
              ElementsAre("spec.externalIPs is ignored when spec.type is \"ExternalName\""));
  EXPECT_THAT(OfNew<Service>(R"({"spec":{"type":"ClusterIP","clusterIP":"None",
                                 "clusterIPs":["None"],"externalIPs":["1.2.3.4"],
                                 "sessionAffinity":"None"}})"),
              ElementsAre("spec.externalIPs is ignored for headless services"));
  EXPECT_THAT(
      OfChanged<Service>(
          R"({"status":{"loadBalancer":{"ingress":[{"hostname":"h"},{"ip":"01.2.3.4"}]}}})",
          "status"),
      ElementsAre("status.loadBalancer.ingress[1]: non-standard IP address \"01.2.3.4\" will be "
                  "considered invalid in a future Kubernetes release: use \"1.2.3.4\""));
}

constexpr std::string_view kWrittenBadly =
    "non-standard IP address \"01.2.3.4\" will be considered invalid in a future Kubernetes "
    "release: use \"1.2.3.4\"";

TEST(WarningsTest, AddressesOfOtherKinds) {
  using namespace api::networking::v1;  // NOLINT: named once
  using api::discovery::v1::EndpointSlice;
  const auto at = [](const std::string& path) { return path + ": " + std::string(kWrittenBadly); };
  EXPECT_THAT(
      OfNew<Endpoints>(R"({"subsets":[{"addresses":[{"ip":"01.2.3.4"}],
                                   "notReadyAddresses":[{"ip":"01.2.3.4"}]}]})"),
      ElementsAre(at("subsets[0].addresses[0].ip"), at("subsets[0].notReadyAddresses[0].ip")));
  EXPECT_THAT(OfNew<Endpoints>(R"({"metadata":{"labels":{
      "endpoints.kubernetes.io/managed-by":"endpoint-controller"}},
      "subsets":[{"addresses":[{"ip":"01.2.3.4"}]}]})"),
              IsEmpty());
  constexpr std::string_view kSlice =
      R"({"addressType":"FQDN","endpoints":[{"addresses":["01.2.3.4"]}]})";
  EXPECT_THAT(OfNew<EndpointSlice>(kSlice), ElementsAre("spec.addressType: FQDN endpoints are "
                                                        "deprecated",
                                                        at("endpoints[0].addresses[0]")));
  EXPECT_THAT(OfChanged<EndpointSlice>(kSlice), ElementsAre(at("endpoints[0].addresses[0]")));
  EXPECT_THAT(OfNew<EndpointSlice>(R"({"metadata":{"labels":{
      "endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"}},
      "endpoints":[{"addresses":["01.2.3.4"]}]})"),
              IsEmpty());
  EXPECT_THAT(OfChanged<Pod>(R"({"status":{"podIPs":[{"ip":"01.2.3.4"}],
                                 "hostIPs":[{"ip":"01.2.3.4"}]}})",
                             "status"),
              ElementsAre(at("status.podIPs[0].ip"), at("status.hostIPs[0].ip")));
  EXPECT_THAT(OfChanged<Ingress>(R"({"status":{"loadBalancer":{"ingress":[{"ip":"01.2.3.4"}]}}})",
                                 "status"),
              ElementsAre(at("status.loadBalancer.ingress[0]")));
  EXPECT_THAT(
      OfNew<NetworkPolicy>(R"({"spec":{
      "ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.1/8","except":["10.1.0.1/16"]}}]}],
      "egress":[{"to":[{},{"ipBlock":{"cidr":"FD00::/8"}}]}]}})"),
      ElementsAre("spec.ingress[0].from[0].ipBlock.cidr: CIDR value \"10.0.0.1/8\" is "
                  "ambiguous in this context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)",
                  "spec.ingress[0].from[0].ipBlock.except[0]: CIDR value \"10.1.0.1/16\" is "
                  "ambiguous in this context (should be \"10.1.0.0/16\" or "
                  "\"10.1.0.1/32\"?)",
                  "spec.egress[0].to[1].ipBlock.cidr: IPv6 CIDR value \"FD00::/8\" should "
                  "be in RFC 5952 canonical format (\"fd00::/8\")"));
  EXPECT_THAT(
      OfNew<Node>(R"({"spec":{"externalID":"x","podCIDRs":["10.0.0.8/24"]}})"),
      ElementsAre("spec.externalID: this field is deprecated, and is unused by Kubernetes",
                  "spec.podCIDRs[0]: CIDR value \"10.0.0.8/24\" is ambiguous in this context "
                  "(should be \"10.0.0.0/24\" or \"10.0.0.8/32\"?)"));
}

TEST(WarningsTest, ClassesOfIngresses) {
  using api::networking::v1::Ingress;
  constexpr std::string_view kOld =
      R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}}})";
  EXPECT_THAT(OfNew<Ingress>(kOld),
              ElementsAre("annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
                          "'spec.ingressClassName' instead"));
  EXPECT_THAT(OfChanged<Ingress>(kOld), IsEmpty());
  EXPECT_THAT(OfNew<Ingress>(R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}},
                                 "spec":{"ingressClassName":"a"}})"),
              IsEmpty());
}

TEST(WarningsTest, LabelsOfNodesInVolumes) {
  EXPECT_THAT(
      OfNew<PersistentVolume>(R"({"spec":{"nodeAffinity":{"required":{
      "nodeSelectorTerms":[{"matchExpressions":[{"key":"beta.kubernetes.io/os"}]}]}}}})"),
      ElementsAre("spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: "
                  "beta.kubernetes.io/os is deprecated since v1.14; use "
                  "\"kubernetes.io/os\" instead"));
  EXPECT_THAT(OfNew<api::storage::v1::CSIStorageCapacity>(R"({"nodeTopology":{
      "matchExpressions":[{"key":"beta.kubernetes.io/os"}],
      "matchLabels":{"beta.kubernetes.io/arch":"x"}}})"),
              ElementsAre("nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is "
                          "deprecated since v1.14; use \"kubernetes.io/os\" instead",
                          "nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since "
                          "v1.14; use \"kubernetes.io/arch\" instead"));
}

TEST(WarningsTest, Accounts) {
  EXPECT_THAT(OfNew<ServiceAccount>(R"({"metadata":{"annotations":{
      "kubernetes.io/enforce-mountable-secrets":"true"}}})"),
              ElementsAre("metadata.annotations[kubernetes.io/enforce-mountable-secrets]: "
                          "deprecated in v1.32+; prefer separate namespaces to isolate access to "
                          "mounted secrets"));
}

TEST(WarningsTest, CertificatesAndKeys) {
  Secret secret;
  secret.type = "kubernetes.io/tls";
  const auto warned = [&] {
    return StrategyOf(reflect::TypeOf<Secret>()).warnings(&secret, nullptr);
  };
  EXPECT_THAT(warned(), ElementsAre("tls: failed to find any PEM data in certificate input"));
  const auto authority = pki::CertificateAuthority::Create("a", 0, 1000);
  const auto key = pki::PrivateKey::Generate();
  ASSERT_TRUE(authority.ok() && key.ok());
  const auto certificate =
      authority->Issue(key->public_key(), {.subject = {.common_name = "x"}, .not_after = 100});
  ASSERT_TRUE(certificate.ok());
  secret.data["tls.crt"].data = certificate->Pem();
  secret.data["tls.key"].data = key->Pem();
  EXPECT_THAT(warned(), IsEmpty());
  secret.type = "Opaque";
  secret.data["tls.key"].data = "x";
  EXPECT_THAT(warned(), IsEmpty());
}

TEST(WarningsTest, PodsFilesThatStandInEachOthersWay) {
  EXPECT_THAT(
      OfNew<Pod>(R"({"metadata":{"name":"a"},"spec":{"volumes":[
        {"name":"c","configMap":{"name":"m","items":[{"path":"a/"},{"path":"a/b"},{"path":"ab"}]}},
        {"name":"s","secret":{"secretName":"m","items":[{"path":"x"},{"path":"x"}]}},
        {"name":"d","downwardAPI":{"items":[{"path":"x/y"},{"path":"x"}]}},
        {"name":"p","projected":{"sources":[{"configMap":{"name":"m","items":[{"path":"t"}]}},
          {"serviceAccountToken":{"path":"t/f"}},{"secret":{"name":"n","items":[{"path":"u"}]}},
          {"downwardAPI":{"items":[{"path":"u"}]}}]}}]}})"),
      ElementsAre("volume \"c\" (ConfigMap \"m\"): overlapping paths: \"a/b\" with \"a\"",
                  "volume \"s\" (Secret \"m\"): overlapping paths: \"x\" with \"x\"",
                  "volume \"d\" (DownwardAPI): overlapping paths: \"x\" with \"x/y\"",
                  "volume \"p\" (Projected): overlapping paths: \"t/f\" (ServiceAccountToken) with "
                  "\"t\" (ConfigMap \"m\")",
                  "volume \"p\" (Projected): overlapping paths: \"u\" (DownwardAPI) with \"u\" "
                  "(Secret \"n\")"));
}

TEST(WarningsTest, PodsInTheirOtherParts) {
  EXPECT_THAT(
      OfNew<Pod>(R"({"metadata":{"name":"a"},"spec":{
        "affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
          {"preference":{"matchExpressions":[{"key":"k","values":["-x"]}]}}]}},
        "volumes":[{"name":"e","ephemeral":{"volumeClaimTemplate":{"spec":{"resources":{
          "requests":{"storage":"100m"}}}}}}],
        "initContainers":[{"name":"i","ports":[{"name":"web","containerPort":1}]}],
        "containers":[{"name":"c","ports":[{"name":"web","containerPort":2}]}],
        "dnsConfig":{"nameservers":["01.2.3.4"]},"hostAliases":[{"ip":"01.2.3.4"}]}})"),
      ElementsAre(
          "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
          "preference."
          "matchExpressions[0].values[0]: -x is invalid, a valid label must be an empty string or "
          "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
          "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
          "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
          "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: "
          "fractional byte value \"100m\" is invalid, must be an integer",
          "spec.containers[0].ports[0]: duplicate port name \"web\" with "
          "spec.initContainers[0].ports[0], services and probes that select ports by name will use "
          "spec.initContainers[0].ports[0]",
          "spec.dnsConfig.nameservers[0]: " + std::string(kWrittenBadly),
          "spec.hostAliases[0].ip: " + std::string(kWrittenBadly)));
}

TEST(WarningsTest, FormatsThatNobodyChecks) {
  using api::apiextensions::v1::CustomResourceDefinition;
  const auto definition = [](const std::string& format) {
    return R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object",
      "properties":{"n":{"type":"integer","format":"int64"},"d":{"type":"string",
      "format":"date-time"},"l":{"type":"array","items":{"type":"string","format":")" +
           format + R"("}}}}}}]}})";
  };
  EXPECT_THAT(OfNew<CustomResourceDefinition>(definition("uri")), IsEmpty());
  EXPECT_THAT(OfNew<CustomResourceDefinition>(definition("colour")),
              ElementsAre("unrecognized format \"colour\""));
  EXPECT_THAT(OfChanged<CustomResourceDefinition>(definition("colour")), IsEmpty());
}

}  // namespace
}  // namespace podium::apiserver
