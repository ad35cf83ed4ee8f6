// Pods, and what has a template of one, as large as a request may be: see hostile_objects.h.
#include <chrono>
#include <string>

#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "api/validation/hostile_objects.h"

namespace podium::api {
namespace {

using core::v1::Pod;

constexpr std::chrono::seconds kLimit(5);

// `spec` goes beside what every pod has; `status` may be empty.
std::string PodJson(const std::string& spec, const std::string& status = "{}",
                    const std::string& container = "") {
  return R"({"metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"1"},"spec":{
    "restartPolicy":"Always","dnsPolicy":"ClusterFirst","terminationGracePeriodSeconds":30,
    "containers":[{"name":"c","image":"i","imagePullPolicy":"Always",
      "terminationMessagePolicy":"File")" +
         container + "}]" + spec + R"(},"status":)" + status + "}";
}

TEST(HostilePods, MountsAndDevices) {
  const std::string container =
      R"(,"volumeMounts":[)" + Repeated(R"({"name":"m#","mountPath":"/m/#"})", 35'000) +
      R"(],"volumeDevices":[)" + Repeated(R"({"name":"d#","devicePath":"/d/#"})", 35'000) + "]";
  EXPECT_GT(CountOfCreate<Pod>(PodJson("", "{}", container), kLimit), 0U);
}

TEST(HostilePods, Tolerations) {
  const std::string pod = PodJson(R"(,"tolerations":[)" +
                                  Repeated(R"({"key":"k#","operator":"Exists"})", 70'000) + "]");
  EXPECT_EQ(CountOfUpdate<Pod>(pod, pod, kLimit), 0U);
}

TEST(HostilePods, SpreadConstraints) {
  const std::string constraints = Repeated(
      R"({"maxSkew":1,"topologyKey":"key-#","whenUnsatisfiable":"DoNotSchedule"})", 40'000);
  EXPECT_EQ(
      CountOfCreate<Pod>(PodJson(R"(,"topologySpreadConstraints":[)" + constraints + "]"), kLimit),
      0U);
}

TEST(HostilePods, ClaimsOfContainers) {
  const std::string claims =
      R"(,"resources":{"claims":[)" + Repeated(R"({"name":"n#"})", 100'000) + "]}";
  EXPECT_GT(CountOfCreate<Pod>(PodJson("", "{}", claims), kLimit), 0U);
  const std::string references =
      R"(,"resources":{"claims":[)" + Repeated(R"({"name":"n#"})", 50'000) + "]}";
  const std::string pod_claims =
      R"(,"resourceClaims":[)" + Repeated(R"({"name":"a#","resourceClaimName":"c"})", 35'000) + "]";
  EXPECT_GT(CountOfCreate<Pod>(PodJson(pod_claims, "{}", references), kLimit), 0U);
}

TEST(HostilePods, ManyContainersVariablesAndPorts) {
  const std::string containers = R"(,"initContainers":[)" +
                                 Repeated(R"({"name":"i#","image":"i","imagePullPolicy":"Always",
                   "terminationMessagePolicy":"File"})",
                                          25'000) +
                                 "]";
  const std::string pod = PodJson(containers);
  EXPECT_EQ(CountOfUpdate<Pod>(pod, pod, kLimit), 0U);
  const std::string parts =
      R"(,"env":[)" + Repeated(R"({"name":"V#","value":"x"})", 40'000) + R"(],"ports":[)" +
      Repeated(R"({"name":"p#","containerPort":1,"hostPort":#,"protocol":"TCP"})", 20'000) + "]";
  EXPECT_EQ(CountOfCreate<Pod>(PodJson("", "{}", parts), kLimit), 0U);
}

TEST(HostilePods, FailureRulesOfAJob) {
  const std::string rules = Repeated(
      R"({"action":"Count","onExitCodes":{"containerName":"x","operator":"In","values":[1]}})",
      15'000);
  const std::string job =
      R"({"metadata":{"name":"j","namespace":"n"},"spec":{"podFailurePolicy":{"rules":[)" + rules +
      R"(]},"template":{"spec":{"restartPolicy":"Never","containers":[)" +
      Repeated(R"({"name":"c#"})", 100'000) + "]}}}}";
  EXPECT_EQ(CountOfCreate<batch::v1::Job>(job, kLimit), 10'001U);
}

size_t CountOfStatusUpdate(const std::string& json, const std::string& old_json) {
  const Pod pod = Load<Pod>(json);
  const Pod old_pod = Load<Pod>(old_json);
  return InTime([&] { return ValidateSubresourceUpdate("status", pod, old_pod); }, kLimit).size();
}

TEST(HostilePods, Statuses) {
  const std::string ended = PodJson(
      "", R"({"containerStatuses":[)" +
              Repeated(R"({"name":"c#","state":{"terminated":{"exitCode":1}}})", 45'000) + "]}");
  const std::string running =
      PodJson("", R"({"containerStatuses":[)" +
                      Repeated(R"({"name":"d#","state":{"running":{}}})", 45'000) + "]}");
  EXPECT_EQ(CountOfStatusUpdate(running, ended), 0U);
  const std::string claims =
      PodJson("", R"({"resourceClaimStatuses":[)" + Repeated(R"({"name":"c#"})", 50'000) +
                      R"(],"nodeAllocatableResourceClaimStatuses":[)" +
                      Repeated(R"({"resourceClaimName":"r#"})", 50'000) + "]}");
  EXPECT_GT(CountOfStatusUpdate(claims, claims), 0U);
}

}  // namespace
}  // namespace podium::api
