// Annotations with a meaning.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string A(const std::string& key, const std::string& value) {
  return "metadata.annotations['" + key + "']=\"" + value + "\"";
}
constexpr char kMirror[] = "kubernetes.io/config.mirror";
constexpr char kCost[] = "controller.kubernetes.io/pod-deletion-cost";
constexpr char kTolerations[] = "scheduler.alpha.kubernetes.io/tolerations";
constexpr char kSeccompPod[] = "seccomp.security.alpha.kubernetes.io/pod";
constexpr char kSeccompC[] = "container.seccomp.security.alpha.kubernetes.io/c";
constexpr char kAppArmorC[] = "container.apparmor.security.beta.kubernetes.io/c";

TEST(PodAnnotationsTest, Mirror) {
  ExpectPodErrors({
      {{A(kMirror, "m"), "spec.nodeName=\"n\""}, {}},
      {{A(kMirror, "m")},
       {"metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"m\": must set "
        "spec.nodeName if mirror pod annotation is set"}},
  });
}

TEST(PodAnnotationsTest, DeletionCost) {
  for (const char* good : {"0", "-1", "-0", "2147483647", "-2147483648"}) {
    ExpectPodErrors({{{A(kCost, good)}, {}}});
  }
  for (const std::string bad : {"", "+1", "01", "2147483648", "x", "1.0"}) {
    ExpectPodErrors({{{A(kCost, bad)},
                      {"metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid "
                       "value: \"" +
                       bad + "\": must be a 32bit integer"}}});
  }
}

TEST(PodAnnotationsTest, Tolerations) {
  ExpectPodErrors({
      {{A(kTolerations, "")}, {}},
      {{A(kTolerations, R"([{\"operator\":\"Exists\"}])")}, {}},
      {{A(kTolerations, R"([{\"key\":\"k\",\"operator\":\"x\"}])")},
       {"metadata.annotations.scheduler.alpha.kubernetes.io/tolerations[0].operator: Unsupported "
        "value: \"x\": supported values: \"Equal\", \"Exists\""}},
      {{A(kTolerations, "{")},
       {"metadata.annotations: Invalid value: \"scheduler.alpha.kubernetes.io/tolerations\": "
        "unexpected end of JSON input"}},
  });
}

TEST(PodAnnotationsTest, Seccomp) {
  const std::string pod = "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod";
  const std::string c = "metadata.annotations.container.seccomp.security.alpha.kubernetes.io/c";
  ExpectPodErrors({
      {{A(kSeccompPod, "runtime/default"), A(kSeccompC, "localhost/a/b")}, {}},
      {{A(kSeccompPod, "x"), A(kSeccompC, "localhost/../b")},
       {pod + ": Invalid value: \"x\": must be a valid seccomp profile",
        c + ": Invalid value: \"../b\": must not contain '..'"}},
  });
}

TEST(PodAnnotationsTest, AppArmor) {
  const std::string at = "metadata.annotations[container.apparmor.security.beta.kubernetes.io/";
  ExpectPodErrors({
      {{A(kAppArmorC, "runtime/default")}, {}},
      {{A(kAppArmorC, "localhost/p")}, {}},
      {{A(kAppArmorC, "")}, {}},
      {{A("container.apparmor.security.beta.kubernetes.io/i", "unconfined"),
        R"(spec.initContainers=[{"name":"i","image":"i"}])"},
       {}},
      {{A("container.apparmor.security.beta.kubernetes.io/e", "unconfined"),
        R"(spec.ephemeralContainers=[{"name":"e","image":"i"}])"},
       {"spec.ephemeralContainers: Forbidden: cannot be set on create"}},
      {{A(kAppArmorC, "x")},
       {at + "c]: Invalid value: \"x\": invalid AppArmor profile name: \"x\""}},
      {{A("container.apparmor.security.beta.kubernetes.io/d", "unconfined")},
       {at + "d]: Invalid value: \"d\": container not found"}},
  });
}

TEST(PodAnnotationsTest, SeccompFieldsMatch) {
  auto of_pod = [](const std::string& json) {
    return R"(spec.securityContext={"seccompProfile":)" + json + "}";
  };
  auto of_container = [](const std::string& json) {
    return R"(spec.containers[0].securityContext={"seccompProfile":)" + json + "}";
  };
  const std::string pod = "spec.securityContext.seccompProfile";
  const std::string c = "spec.containers[0].securityContext.seccompProfile";
  ExpectPodErrors({
      {{A(kSeccompPod, "docker/default"), of_pod(R"({"type":"RuntimeDefault"})")}, {}},
      {{A(kSeccompPod, "unconfined"), of_pod(R"({"type":"RuntimeDefault"})")},
       {pod + ".type: Forbidden: seccomp type in annotation and field must match"}},
      {{A(kSeccompC, "runtime/default"), of_container(R"({"type":"Unconfined"})")},
       {c + ".type: Forbidden: seccomp type in annotation and field must match"}},
      {{A(kSeccompC, "localhost/a"),
        of_container(R"({"type":"Localhost","localhostProfile":"a"})")},
       {}},
      {{A(kSeccompC, "localhost/a"),
        of_container(R"({"type":"Localhost","localhostProfile":"b"})")},
       {c + ".localhostProfile: Forbidden: seccomp profile in annotation and field must match"}},
      {{A(kSeccompC, "unconfined"), of_container(R"({"type":"Unconfined"})")}, {}},
      {{A(kSeccompC, "unconfined"), of_container(R"({"type":"x"})")},
       {c + ".type: Unsupported value: \"x\": supported values: \"Localhost\", "
            "\"RuntimeDefault\", \"Unconfined\""}},
      {{A(kSeccompC, "unconfined"), of_container(R"({"type":"Localhost","localhostProfile":"b"})")},
       {c + ".type: Forbidden: seccomp type in annotation and field must match"}},
  });
}

TEST(PodAnnotationsTest, AppArmorFieldsMatch) {
  const std::string own = R"(spec.containers[0].securityContext={"appArmorProfile":)";
  const std::string of_pod = R"(spec.securityContext={"appArmorProfile":{"type":"Unconfined"}})";
  const std::string c = "spec.containers[0].securityContext.appArmorProfile";
  ExpectPodErrors({
      {{A(kAppArmorC, "unconfined"), of_pod}, {}},
      {{A(kAppArmorC, "runtime/default"), of_pod},
       {c + ".type: Forbidden: apparmor type in annotation and field must match"}},
      {{A(kAppArmorC, "runtime/default"), of_pod, own + R"({"type":"RuntimeDefault"}})"}, {}},
      {{A(kAppArmorC, "localhost/a"), own + R"({"type":"Localhost","localhostProfile":"b"}})"},
       {c + ".localhostProfile: Forbidden: apparmor profile in annotation and field must match"}},
      {{A(kAppArmorC, "localhost/a"), own + R"({"type":"Localhost","localhostProfile":"a"}})"}, {}},
      {{A(kAppArmorC, "unconfined"), own + R"({"type":"Localhost","localhostProfile":"a"}})"},
       {c + ".type: Forbidden: apparmor type in annotation and field must match"}},
      {{A(kAppArmorC, "localhost/docker/default"), own + R"({"type":"RuntimeDefault"}})"},
       {c + ".type: Forbidden: apparmor type in annotation and field must match"}},
      // The docker word is seccomp's alone.
      {{A(kAppArmorC, "docker/default"), own + R"({"type":"RuntimeDefault"}})"},
       {"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Invalid value: "
        "\"docker/default\": invalid AppArmor profile name: \"docker/default\"",
        c + ".type: Forbidden: apparmor type in annotation and field must match"}},
      // An unknown type matches anything; it has an error of its own.
      {{A(kAppArmorC, "unconfined"), own + R"({"type":"x"}})"},
       {c + ".type: Unsupported value: \"x\": supported values: \"Localhost\", "
            "\"RuntimeDefault\", \"Unconfined\""}},
  });
}

TEST(PodAnnotationsTest, WhatStaysOnUpdate) {
  ExpectUpdateErrors(
      {
          {{}, {A("a/b", "c")}, {}},
          {{A("a/b", "c")}, {A("a/b", "d")}, {}},
          {{"spec.nodeName=\"n\""},
           {A(kMirror, "m")},
           {"metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
            "annotation"}},
          {{"spec.nodeName=\"n\"", A(kMirror, "m")},
           {A(kMirror, "x")},
           {"metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or "
            "update "
            "mirror pod annotation"}},
          {{A(kAppArmorC, "unconfined")},
           {"metadata.annotations"},
           {"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: "
            "may "
            "not remove or update AppArmor annotations"}},
          {{},
           {A(kAppArmorC, "unconfined")},
           {"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: "
            "may "
            "not add AppArmor annotations"}},
          // A cost that was bad before may stay bad; a new one may not.
          {{A(kCost, "x")}, {A(kCost, "y")}, {}},
          {{},
           {A(kCost, "y")},
           {"metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "
            "\"y\": "
            "must be a 32bit integer",
            "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "
            "\"y\": "
            "must be a 32bit integer"}},
      },
      ValidatePodUpdate);
}

}  // namespace
}  // namespace podium::api
